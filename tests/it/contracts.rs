//! The contracts of the repository: official ones for other tools, and complete ones for the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use starledger::contracts::{Catalogue, ColumnRole, ContractKind};

/// Facts and the date whose month partitions them.
const FACTS: [(&str, &str); 13] = [
    ("claims", "claimed_on"),
    ("decisions", "decided_at"),
    ("deliveries", "opened_at"),
    ("disputes", "raised_on"),
    ("enablement", "completed_on"),
    ("inspections", "inspected_on"),
    ("key_events", "occurred_on"),
    ("manual_adjustments", "approved_on"),
    ("payments", "paid_on"),
    ("sales", "ordered_on"),
    ("spare_parts", "shipped_on"),
    ("support", "requested_at"),
    ("surveys", "sent_at"),
];
const REFERENCES: [&str; 9] = [
    "certifications",
    "contacts",
    "domains",
    "engineers",
    "fx_rates",
    "holidays",
    "partners",
    "products",
    "targets",
];
/// Outputs and the column that partitions them.
const OUTPUTS: [(&str, Option<&str>); 61] = [
    ("authorisation_findings", Some("period")),
    ("calendar_certifications", None),
    ("calendar_certified_partners", None),
    ("calendar_discounts", None),
    ("calendar_due_dates", None),
    ("calendar_partner_periods", Some("period")),
    ("calendar_partner_years", None),
    ("calendar_product_instants", None),
    ("calendar_product_spans", None),
    ("calendar_sale_changes", None),
    ("calendar_sale_days", None),
    ("calendar_sale_partners", None),
    ("calendar_sale_products", None),
    ("claim_states", None),
    ("conflicts", None),
    ("derivations", Some("period")),
    ("discount_checks", Some("period")),
    ("effective_certifications", None),
    ("entitlements", None),
    ("figures", Some("period")),
    ("files", None),
    ("freshness", Some("period")),
    ("funds", None),
    ("headroom", None),
    ("held", None),
    ("improvement_plans", None),
    ("key_event_points", None),
    ("ledger", Some("period")),
    ("measures_authorisation_deliveries", Some("period")),
    ("measures_authorisation_exposure", Some("period")),
    ("measures_authorisation_first_nodes", Some("period")),
    ("measures_authorisation_sales", Some("period")),
    ("measures_critical", Some("period")),
    ("measures_deliveries", Some("period")),
    ("measures_discounts_collaborative", Some("period")),
    ("measures_discounts_vendor", Some("period")),
    ("measures_parts", Some("period")),
    ("measures_quality", Some("period")),
    ("measures_ratings", Some("period")),
    ("measures_responses", Some("period")),
    ("measures_sales", None),
    ("measures_satisfaction", Some("period")),
    ("measures_service_level", Some("period")),
    ("measures_support_used", None),
    ("measures_training_used", None),
    ("messages", None),
    ("metrics", Some("period")),
    ("next_steps", Some("period")),
    ("partner_scores", Some("period")),
    ("peer_figures", Some("period")),
    ("periods", None),
    ("quarantine", None),
    ("rebates", Some("period")),
    ("review_criteria", Some("period")),
    ("reviews", None),
    ("score_changes", Some("period")),
    ("scores", Some("period")),
    ("settlement_proposals", None),
    ("settlement_states", None),
    ("settlements", Some("period")),
    ("statements", Some("period")),
];

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

fn files() -> Vec<(String, String)> {
    let entries = fs::read_dir(schemas()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, String)> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            (format!("schemas/{name}"), fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn catalogue() -> Catalogue {
    Catalogue::read(&files()).unwrap_or_else(|findings| {
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"))
    })
}

#[test]
fn there_is_a_contract_for_every_feed_and_every_output() {
    let catalogue = catalogue();
    let of_kind = |kind| -> BTreeMap<String, Option<String>> {
        let contracts = catalogue.feeds().chain(catalogue.outputs()).filter(|c| c.kind == kind);
        let shown = contracts.map(|c| {
            let column = if kind == ContractKind::Fact {
                c.business_date
            } else {
                c.partition
            };
            (c.name.clone(), column.map(|i| c.columns[i].name.clone()))
        });
        shown.collect()
    };
    let owned = |name: &str, column: Option<&str>| (name.to_owned(), column.map(str::to_owned));
    assert_eq!(
        of_kind(ContractKind::Fact),
        FACTS.map(|(name, date)| owned(name, Some(date))).into()
    );
    assert_eq!(
        of_kind(ContractKind::Reference),
        REFERENCES.map(|name| owned(name, None)).into()
    );
    assert_eq!(
        of_kind(ContractKind::Output),
        OUTPUTS.map(|(name, column)| owned(name, column)).into()
    );
}

#[test]
fn every_amount_of_money_in_a_feed_has_its_currency() {
    for contract in catalogue().feeds() {
        for column in &contract.columns {
            let is_money = ["amount", "list_amount", "net_amount", "list_price"].contains(&column.name.as_str());
            assert_eq!(column.money.is_some(), is_money, "{}.{}", contract.name, column.name);
        }
    }
}

#[test]
fn every_partner_of_a_feed_is_looked_up() {
    let catalogue = catalogue();
    let keys = [
        "partner_id",
        "product_id",
        "domain",
        "delivery_id",
        "order_line_id",
        "original_order_line_id",
    ];
    for contract in catalogue.feeds() {
        for (i, column) in contract
            .columns
            .iter()
            .enumerate()
            .filter(|(_, c)| c.role == ColumnRole::Data)
        {
            let is_own = contract.key == [i]
                || (contract.name == "products" || contract.name == "partners") && contract.key[0] == i;
            let expected = keys.contains(&column.name.as_str()) && !is_own;
            assert!(
                !expected || column.reference.is_some(),
                "{}.{}",
                contract.name,
                column.name
            );
        }
    }
}

/// Holds every `*.yaml` of a folder against the official JSON Schema of the standard, and does what `datacontract lint`
/// does (the command calls this same method); prints what is wrong, ends with 1 if anything is.
const LINT: &str = r#"
import importlib.resources, json, pathlib, sys
import jsonschema, yaml
from datacontract.data_contract import DataContract

schema = json.loads((importlib.resources.files("datacontract") / "schemas" / "odcs-3.1.0.schema.json").read_text("utf-8"))
validator = jsonschema.validators.validator_for(schema)(schema)
wrong = []
paths = sorted(pathlib.Path(sys.argv[1]).glob("*.yaml"))
for path in paths:
    contract = yaml.safe_load(path.read_text("utf-8"))
    wrong += [f"{path.name}: {e.json_path}: {e.message}" for e in validator.iter_errors(contract)]
    run = DataContract(data_contract_file=str(path), all_errors=True, inline_references=True).lint()
    wrong += [f"{path.name}: {c.name}: {c.result}: {c.reason}" for c in run.checks if c.result.value != "passed"]
    if not any("ODCS v3.1.0" in c.name for c in run.checks):
        wrong.append(f"{path.name}: was not linted against v3.1.0")
print("\n".join(wrong))
print(len(paths), "contracts")
sys.exit(1 if wrong or not paths else 0)
"#;

/// Whether all contracts of a folder are in order, and what was printed.
fn lint(folder: &Path) -> (bool, String) {
    let python = crate::support::python();
    let output = Command::new(&python).args(["-c", LINT]).arg(folder).output().unwrap();
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), printed)
}

#[test]
fn contracts_are_valid_by_the_official_schema_and_datacontract_lint() {
    let (in_order, printed) = lint(&schemas());
    assert!(in_order, "{printed}");
    assert!(printed.contains(&format!("{} contracts", files().len())), "{printed}");
}

#[test]
fn a_contract_that_is_wrong_is_found_by_both() {
    let folder = tempfile::tempdir().unwrap();
    let sales = fs::read_to_string(schemas().join("sales.odcs.yaml")).unwrap();
    let wrong = sales.replacen("logicalType: string", "logicalType: text", 1);
    fs::write(folder.path().join("sales.odcs.yaml"), &wrong).unwrap();
    let (in_order, printed) = lint(folder.path());
    assert!(!in_order && printed.contains("'text' is not one of"), "{printed}");
    let findings = Catalogue::read(&[("schemas/sales.odcs.yaml".to_owned(), wrong)]).unwrap_err();
    assert!(
        findings[0].to_string().contains("of the logicalType 'text'"),
        "{}",
        findings[0]
    );
}
