//! Nobody gets a word of anybody else's in a file either: documents of 500 partners, each with texts of its own.
//!
//! Duty: settlement documents of a real release, copied with a canary in every text, rendered to PDF and workbook; every
//! file read by tools that are not ours and searched for every other canary. Not its duty: the messages around them
//! (`isolated`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;

use serde_json::{Value as Json, json};
use starledger::domain::Period;
use starledger::domain::ids::PartnerId;
use starledger::exports::workbook::{self, Sheet};
use starledger::publishing::{Look, StatementFrame, StatementInputs, Texts, render_statement};
use starledger::store::layout::Layout;
use starledger::store::release::Release;

use super::isolated::{canary, copied};
use crate::support::{Workspace, python::script};

/// Documents at least; the campaign takes more by `STARLEDGER_DOCUMENTS`.
const DOCUMENTS: usize = 500;

/// Text and metadata of every PDF, and every part of every workbook.
const SEARCH: &str = "
import io, json, pathlib, re, sys, zipfile
from pypdf import PdfReader
folder = pathlib.Path(sys.argv[1])
expected = json.loads((folder / 'expected.json').read_text())
word = re.compile(r'Kanari[A-Za-z0-9]+q')
wrong, own = [], 0
for name, want in expected.items():
    reader = PdfReader(folder / (name + '.pdf'))
    pdf = [''.join(page.extract_text().split()) for page in reader.pages]
    pdf += [str(dict(reader.metadata or {})), str(reader.xmp_metadata and reader.xmp_metadata.dc_title)]
    raw = (folder / (name + '.pdf')).read_bytes().decode('latin-1')
    book = zipfile.ZipFile(folder / (name + '.xlsx'))
    parts = [info.filename + book.read(info).decode('utf-8') for info in book.infolist()]
    assert not any('state=\"hidden\"' in part or 'state=\"veryHidden\"' in part for part in parts), name
    in_pdf, in_book = set(word.findall('\\n'.join(pdf + [raw]))), set(word.findall('\\n'.join(parts)))
    own += want in in_pdf and want in in_book
    if (in_pdf | in_book) - {want}:
        wrong.append((name, 'foreign', sorted(in_pdf | in_book)))
print(json.dumps({'wrong': wrong[:5], 'documents': len(expected), 'own': own}))
";

/// The documents of a release with settlements.
pub fn no_foreign_word(workspace: &Workspace) {
    let release = Release::current(&Layout::new(workspace.path()))
        .expect("read")
        .expect("a release");
    let [partners, settlements, statements] =
        ["partners", "settlements", "statements"].map(|name| copied(&release, name));
    let domains = release.read_table("domains").expect("a table");
    let inputs = StatementInputs::new(
        ("Programme", "desk@programme.example"),
        (&partners, &domains),
        &settlements,
        &statements,
    )
    .expect("the tables");
    let wanted = std::env::var("STARLEDGER_DOCUMENTS").map_or(DOCUMENTS, |n| n.parse().expect("a number"));
    let documents: Vec<(PartnerId, Period, String)> = settlements
        .iter()
        .take(wanted)
        .map(|row| {
            let partner = PartnerId::new(row.text("partner_id").expect("an id")).expect("an id");
            let period = Period::parse(row.text("period").expect("a period")).expect("a period");
            (partner, period, row.text("settlement_no").expect("a number").to_owned())
        })
        .collect();
    assert_eq!(documents.len(), wanted, "the release has too few documents");

    let folder = tempfile::tempdir().expect("a folder");
    let (texts, look) = (Texts::for_language("en"), Look::default());
    let write = |(partner, period, number): &(PartnerId, Period, String)| {
        let frame = StatementFrame::of(partner, *period, number, &inputs).unwrap_or_else(|e| panic!("{number}: {e}"));
        let made =
            render_statement(&frame, &BTreeMap::new(), &texts, &look).unwrap_or_else(|e| panic!("{number}: {e}"));
        let sheets: Vec<Sheet> = made
            .sheets
            .into_iter()
            .map(|(name, table)| Sheet { name, table })
            .collect();
        let book = workbook::write(&sheets).expect("a workbook");
        fs::write(folder.path().join(format!("{number}.pdf")), made.pdf).expect("the PDF");
        fs::write(folder.path().join(format!("{number}.xlsx")), book).expect("the workbook");
    };
    let (one, other) = documents.split_at(documents.len() / 2);
    thread::scope(|scope| {
        scope.spawn(|| one.iter().for_each(write));
        other.iter().for_each(write);
    });

    let mut expected: BTreeMap<&str, String> = documents
        .iter()
        .map(|(partner, _, number)| (number.as_str(), canary(partner.as_str())))
        .collect();
    let said = searched(folder.path(), &expected);
    assert_eq!(said["wrong"], json!([]), "{said}");
    assert_eq!(said["own"], said["documents"], "{said}");
    // the search can find: what belongs to one is foreign to the other
    let (first, last) = (documents[0].2.as_str(), documents[documents.len() - 1].2.as_str());
    let swapped = expected.insert(first, expected[last].clone()).expect("a document");
    expected.insert(last, swapped);
    assert_eq!(
        searched(folder.path(), &expected)["wrong"]
            .as_array()
            .expect("a list")
            .len(),
        2
    );
}

/// What Python finds.
fn searched(folder: &Path, expected: &BTreeMap<&str, String>) -> Json {
    fs::write(folder.join("expected.json"), json!(expected).to_string()).expect("the list");
    let said = script(SEARCH, &[folder.to_str().expect("a path")]);
    serde_json::from_str(&said).expect("JSON")
}
