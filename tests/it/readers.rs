//! Letters to the programme's own people: what stands in them, who may see it, and that each comes once.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value as Json;

use crate::support::tool::has_tool;
use crate::support::{Workspace, python, ran_sample};

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

/// Messages of a kind as a mail reader has them: text, HTML with its pictures in it, headers.
const READ: &str = r#"
import base64, email, email.policy, glob, json, re, sys
from html import unescape
out = []
for path in sorted(glob.glob(sys.argv[1] + "/*-" + sys.argv[2] + "-*.eml")):
    raw = open(path, "rb").read()
    message = email.message_from_bytes(raw, policy=email.policy.strict)
    assert not message.defects, (path, message.defects)
    html = message.get_body(("html",)).get_content()
    size = len(html.encode())
    for part in message.walk():
        assert not part.defects, (path, part.defects)
        if part["Content-ID"]:
            data = base64.b64encode(part.get_content()).decode()
            html = html.replace("cid:" + part["Content-ID"].strip("<> "), "data:image/png;base64," + data)
    assert "cid:" not in html, path
    seen = unescape(re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.S))
    text = message.get_body(("plain",)).get_content()
    missing = set(re.findall(r"\d[\d.,]*\d|\d", seen)) - set(re.findall(r"\d[\d.,]*\d|\d", text))
    out.append({"path": path, "subject": str(message["Subject"]), "to": str(message["To"]), "html": html, "size": size,
                "text": text, "missing": sorted(missing), "list": str(message["List-Id"]),
                "leave": str(message["List-Unsubscribe"])})
print(json.dumps(out))
"#;

/// Messages of a kind in the folder of a workspace.
pub fn letters(workspace: &Workspace, kind: &str) -> Vec<BTreeMap<String, Json>> {
    let folder = workspace.warehouse().join("outbox/mail");
    let out = python::script(READ, &[folder.to_str().expect("a path"), kind]);
    serde_json::from_str(&out).expect("JSON")
}

fn text<'a>(letter: &'a BTreeMap<String, Json>, key: &str) -> &'a str {
    letter[key].as_str().unwrap_or_else(|| panic!("{key} of {letter:?}"))
}

#[test]
fn digests_say_what_the_tables_say_to_those_who_may_see_it() {
    let workspace = ran_sample();
    let digests = letters(&workspace, "digest");
    assert_eq!(digests.len(), 2, "one for each reader who wants it");
    for digest in &digests {
        assert_eq!(
            digest["missing"],
            serde_json::json!([]),
            "a figure of the HTML that the text does not have"
        );
        assert!(digest["size"].as_u64().expect("bytes") < 100_000);
        assert!(
            text(digest, "leave").contains("?subject=unsubscribe%20digest-"),
            "{}",
            text(digest, "leave")
        );
    }
    let (limited, office) = (&digests[0], &digests[1]);
    assert!(
        text(limited, "list").contains("<digest-emea-channel.programme.example>"),
        "{}",
        text(limited, "list")
    );
    let partners = rows(
        &workspace,
        "SELECT p.partner_id, p.region, p.state, n.legal_name FROM partner_scores p JOIN (SELECT partner_id, MAX(legal_name) \
         AS legal_name FROM partners GROUP BY partner_id) n ON n.partner_id = p.partner_id WHERE p.period = '2026-Q3'",
    );
    let (mut theirs, mut others) = (0, 0);
    for row in &partners {
        let (id, name) = (
            row["partner_id"].as_str().expect("an id"),
            row["legal_name"].as_str().expect("a name"),
        );
        if row["region"] == "emea" {
            theirs += usize::from(text(limited, "text").contains(id));
        } else {
            others += 1;
            let html = text(limited, "html");
            assert!(
                !text(limited, "text").contains(id) && !html.contains(id),
                "{id} of another region"
            );
            assert!(
                !text(limited, "text").contains(name) && !html.contains(name),
                "{name} of another region"
            );
        }
    }
    assert!(theirs >= 15 && others >= 20, "{theirs} {others}");
    // counts, and the one that fell most, by a query of their own
    let of = |state: &str| partners.iter().filter(|row| row["state"] == state).count();
    let counts = format!(
        "{} rated, {} provisional, {} not rated",
        of("rated"),
        of("provisional"),
        of("not_rated")
    );
    assert!(text(office, "text").contains(&counts), "{counts}");
    let last = rows(
        &workspace,
        "SELECT partner_id, CAST(change AS VARCHAR) AS moved FROM partner_scores WHERE period = '2026-Q3' AND change < 0 \
         ORDER BY change LIMIT 1",
    );
    let mut lines = text(office, "text").lines().skip_while(|line| *line != "FELL MOST");
    let first = lines.nth(1).expect("a line");
    let change = last[0]["moved"].as_str().expect("a change").trim_start_matches('-');
    assert!(
        first.contains(last[0]["partner_id"].as_str().expect("an id")) && first.contains(&format!("\u{2212}{change}")),
        "{first}"
    );
    let reports = letters(&workspace, "operations");
    assert_eq!(reports.len(), 1);
    let aside = rows(&workspace, "SELECT file_name FROM files WHERE state = 'set_aside'");
    assert!(!aside.is_empty());
    for row in aside {
        assert!(
            text(&reports[0], "text").contains(row["file_name"].as_str().expect("a name")),
            "{row}"
        );
    }
}

#[test]
fn letters_come_once_and_a_rebuild_has_the_same_bytes() {
    let workspace = Workspace::sample();
    workspace.run(&["run"]);
    let hashes = "SELECT message_key, content_hash, reader FROM messages WHERE reader IS NOT NULL ORDER BY sequence";
    let first = rows(&workspace, hashes);
    assert_eq!(first.len(), 3, "{first:?}");
    // a contact with another language makes a new card; digests wait for the close, and what is to look at is the same
    let file = workspace.path().join("sample_data/reference/contacts.csv");
    let contacts = fs::read_to_string(&file).expect("the contacts");
    let more = "EM-0002,nouveau@mueller-soehne.example,board,Luc Petit,fr,scorecard,2022-10-02,\n";
    fs::write(&file, contacts + more).expect("written");
    workspace.run(&["run"]);
    assert_eq!(rows(&workspace, hashes), first);
    assert_eq!(
        rows(
            &workspace,
            "SELECT message_key FROM messages WHERE language = 'fr' AND partner_id = 'EM-0002'"
        )
        .len(),
        1
    );
    // one more rejected record is told of
    workspace.write(
        "sample_data/emea/surveys-2026-late.csv",
        &fs::read_to_string(workspace.path().join("sample_data/emea/surveys-2026-Q3.csv"))
            .map(|text| format!("{}\nbroken,row\n", text.lines().next().unwrap_or_default()))
            .expect("the surveys"),
    );
    workspace.run(&["run"]);
    let told = rows(&workspace, hashes);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[3]["reader"], "programme-office");
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.run(&["run"]);
    assert_eq!(rows(&workspace, hashes), told);
}

#[test]
fn a_reader_who_is_wrong_is_told_with_the_line() {
    let workspace = Workspace::sample();
    workspace.edit(
        "pipelines/readers.toml",
        "regions = [\"emea\"]",
        "regions = [\"atlantis\"]",
    );
    let ran = workspace.run(&["check"]);
    assert_ne!(ran.code, 0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        said.contains("pipelines/readers.toml:12") && said.contains("'atlantis', which has no rules"),
        "{said}"
    );
    // without the file nobody reads, and nothing else changes
    fs::remove_file(workspace.path().join("pipelines/readers.toml")).expect("it goes");
    workspace.run(&["run"]);
    assert!(rows(&workspace, "SELECT message_key FROM messages WHERE reader IS NOT NULL").is_empty());
}

/// After a period was closed: one summary, whose sums are those of the ledger.
pub fn summary_is_that_of_the_ledger(workspace: &Workspace) {
    let summaries = letters(workspace, "settlement");
    assert_eq!(summaries.len(), 1);
    let summary = &summaries[0];
    assert_eq!(summary["missing"], serde_json::json!([]));
    let said = text(summary, "text");
    // what the ledger owes partners, in each currency, is due or carried forward
    let ledger = rows(
        workspace,
        "SELECT currency, CAST(-SUM(amount) AS VARCHAR) AS owed FROM ledger WHERE account = 'partner_payable' AND period = '2025-Q4' GROUP BY currency",
    );
    assert!(ledger.len() > 5);
    let amount = |label: &str, currency: &str| -> i128 {
        let line = format!("- {currency} · {label}: ");
        let found = said.lines().find_map(|l| l.strip_prefix(&line));
        found.map_or(0, |text| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            digits.parse().expect("digits")
        })
    };
    for row in &ledger {
        let currency = row["currency"].as_str().expect("a currency");
        let minor = match currency {
            "JPY" | "CLP" => 0,
            "KWD" => 3,
            _ => 2,
        };
        let owed = row["owed"].as_str().expect("an amount");
        let (whole, rest) = owed.split_once('.').expect("decimals");
        let owed: i128 = format!("{whole}{}", &rest[..minor]).parse().expect("digits");
        assert_eq!(
            amount("Due", currency) + amount("Carried forward", currency),
            owed,
            "{currency}\n{said}"
        );
    }
    let documents = rows(
        workspace,
        "SELECT settlement_no, approved_by, settlement_hash FROM settlements",
    );
    assert!(text(summary, "subject").contains(&format!("{} documents", documents.len())));
    for document in &documents {
        assert!(
            said.contains(document["settlement_no"].as_str().expect("a number")),
            "{document}"
        );
        assert!(said.contains(document["settlement_hash"].as_str().expect("a hash")));
    }
    assert!(
        letters(workspace, "digest")
            .iter()
            .any(|digest| text(digest, "text").contains("2025-Q4"))
    );
}

#[test]
fn messages_are_accessible_and_fit_a_phone() {
    if !has_tool("chromium", "chromium", "accessibility of messages is not proved") {
        return;
    }
    let workspace = ran_sample();
    let folder = tempfile::tempdir().expect("a folder");
    let mut pages = Vec::new();
    for (kind, most) in [("digest", 2), ("operations", 1), ("scorecard", 4)] {
        for (i, letter) in letters(&workspace, kind).iter().take(most).enumerate() {
            let name = format!("{kind}-{i}.html");
            fs::write(folder.path().join(&name), text(letter, "html")).expect("the page");
            pages.push(name);
        }
    }
    assert_eq!(pages.len(), 7);
    let pictures = std::env::var("STARLEDGER_PICTURES").unwrap_or_else(|_| "-".to_owned());
    let mut arguments = vec![folder.path().to_str().expect("a path"), &pictures];
    arguments.extend(pages.iter().map(String::as_str));
    let found = python::script(include_str!("support/browser.py"), &arguments);
    assert!(found.is_empty(), "{found}");
}

#[test]
fn a_digest_that_names_somebody_it_may_not_is_held_until_that_is_put_right() {
    let workspace = Workspace::sample();
    let file = workspace.path().join("sample_data/reference/partners.csv");
    let right = fs::read_to_string(&file).expect("the partners");
    // a partner of another region is named like a word that stands in every digest
    let wrong: Vec<String> = right
        .lines()
        .map(|line| match line.split(',').collect::<Vec<_>>() {
            mut cells if line.starts_with("AP-0016,") => {
                cells[3] = "Wireless LAN";
                cells.join(",")
            }
            _ => line.to_owned(),
        })
        .collect();
    fs::write(&file, wrong.join("\n") + "\n").expect("written");
    workspace.run(&["run"]);
    let digest =
        "SELECT message_key, sequence, state, reason FROM messages WHERE kind = 'digest' AND reader = 'emea-channel'";
    let held = rows(&workspace, digest);
    assert_eq!((held.len(), &held[0]["state"]), (1, &serde_json::json!("held")));
    assert!(
        held[0]["reason"].as_str().expect("a reason").contains("may not see"),
        "{held:?}"
    );
    assert!(
        letters(&workspace, "digest")
            .iter()
            .all(|d| text(d, "list").contains("programme-office"))
    );
    fs::write(&file, right).expect("written");
    workspace.run(&["run"]);
    let sent = rows(&workspace, digest);
    assert_eq!(
        (
            sent.len(),
            &sent[0]["state"],
            &sent[0]["message_key"],
            &sent[0]["sequence"]
        ),
        (
            1,
            &serde_json::json!("queued"),
            &held[0]["message_key"],
            &held[0]["sequence"]
        )
    );
    assert_eq!(letters(&workspace, "digest").len(), 2);
}
