//! Statements: a message for every document when a period closes, with its PDF and its lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::closing::{close, without_set_aside_files};
use crate::mail::isolated_documents::no_foreign_word;
use crate::readers::summary_is_that_of_the_ledger;
use crate::support::{Workspace, python};

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

/// Reads every statement as a mail reader, a PDF reader and a spreadsheet do.
const READ: &str = r#"
import email, email.policy, glob, io, json, sys, zipfile
out = {}
for path in sorted(glob.glob(sys.argv[1] + "/*-statement-*.eml")):
    message = email.message_from_bytes(open(path, "rb").read(), policy=email.policy.strict)
    assert not message.defects and message.get_content_type() == "multipart/mixed", path
    files = {a.get_filename(): a.get_content() for a in message.iter_attachments()}
    pdf = next(v for k, v in files.items() if k.endswith(".pdf"))
    xlsx = next(v for k, v in files.items() if k.endswith(".xlsx"))
    assert pdf.startswith(b"%PDF-1.") and b"/StructTreeRoot" in pdf and b"/FontFile" in pdf, path
    book = zipfile.ZipFile(io.BytesIO(xlsx))
    sheets = [book.read(n).decode() for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 2 and all("<f" not in sheet for sheet in sheets), "a formula"
    out[path] = {
        "files": sorted(files), "subject": message["Subject"],
        "text": message.get_body(("plain",)).get_content(), "size": len(pdf),
    }
print(json.dumps(out))
"#;

#[test]
fn every_document_is_sent_once_with_its_pdf_and_its_lines() {
    let workspace = without_set_aside_files();
    assert!(rows(&workspace, "SELECT message_key FROM messages WHERE kind = 'statement'").is_empty());
    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let documents = rows(
        &workspace,
        "SELECT settlement_no, partner_id, due_amount FROM settlements ORDER BY settlement_no",
    );
    let messages = rows(
        &workspace,
        "SELECT partner_id, language, state, message_key FROM messages WHERE kind = 'statement' ORDER BY sequence",
    );
    assert!(documents.len() > 20 && messages.len() >= documents.len());
    assert!(messages.iter().any(|m| m["language"] == "zh") && messages.iter().any(|m| m["language"] == "de"));
    let queued = messages.iter().filter(|m| m["state"] == "queued").count();
    assert!(queued > 20, "{messages:?}");

    let folder: PathBuf = workspace.warehouse().join("outbox/mail");
    let out = python::script(READ, &[folder.to_str().expect("a path")]);
    let read: BTreeMap<String, Json> = serde_json::from_str(&out).expect("JSON");
    assert_eq!(read.len(), queued);
    for document in &documents {
        let number = document["settlement_no"].as_str().expect("a number");
        let of = read.values().filter(|m| m["files"][0] == format!("{number}.pdf"));
        for message in of {
            assert_eq!(message["files"][1], format!("{number}.xlsx"));
            assert!(message["text"].as_str().expect("a text").contains(number));
            assert!(message["size"].as_i64().expect("a size") < 120_000, "{message}");
        }
    }

    // nothing new: not one message more, and a rebuild has the same bytes
    workspace.ok(&["run"]);
    let again = rows(&workspace, "SELECT message_key FROM messages WHERE kind = 'statement'");
    assert_eq!(again.len(), messages.len());
    let hashes = "SELECT message_key, content_hash FROM messages ORDER BY sequence";
    let before = rows(&workspace, hashes);
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(rows(&workspace, hashes), before);

    summary_is_that_of_the_ledger(&workspace);

    // what stands in the files, with 500 partners instead of some dozens
    no_foreign_word(&workspace);
}
