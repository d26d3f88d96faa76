//! Versions of a key over several deliveries: append, upsert and snapshot, by arrival, file name and column; rows that
//! wait; what a release says of all of it.

use crate::support::Workspace;

/// A workspace with the sample's configuration and one more source, whose files are all there is.
fn workspace(source: &str) -> Workspace {
    let workspace = Workspace::sample();
    std::fs::remove_dir_all(workspace.path().join("sample_data")).expect("no sample data");
    std::fs::remove_dir_all(workspace.path().join("pipelines/sources")).expect("no sources");
    workspace.write("pipelines/sources/own.toml", source);
    workspace.write("in/readme", "an inbox");
    workspace
}

fn rates(declared: &str) -> Workspace {
    workspace(&format!(
        "[[source]]\nname = \"rates\"\nfeed = \"fx_rates\"\nfiles = [\"in/*.csv\"]\nformat = \"csv\"\n{declared}\n"
    ))
}

/// A file of rates: `EUR/USD 1.10` a line.
fn deliver(workspace: &Workspace, name: &str, rows: &[&str]) {
    let mut text = "base,quote,date,rate,source\n".to_owned();
    for row in rows {
        let (pair, rate) = row.split_once(' ').expect("a pair and a rate");
        let (base, quote) = pair.split_once('/').expect("two currencies");
        text.push_str(&format!("{base},{quote},2026-06-30,{rate},bank\n"));
    }
    workspace.write(&format!("in/{name}.csv"), &text);
    let ran = workspace.run(&["run"]);
    assert!(ran.code == 0, "{}\n{}", ran.stdout, ran.stderr);
}

/// Values of a query, `|` between columns, a line each.
fn query(workspace: &Workspace, sql: &str) -> Vec<String> {
    let ran = workspace.ok(&["query", sql, "--json"]);
    let rows: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&ran.stdout).expect("rows");
    let shown = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned);
    rows.iter()
        .map(|row| row.values().map(shown).collect::<Vec<_>>().join("|"))
        .collect()
}

fn current(workspace: &Workspace) -> Vec<String> {
    query(workspace, "SELECT quote, rate, arrival FROM fx_rates ORDER BY quote")
}

fn history(workspace: &Workspace) -> Vec<String> {
    query(
        workspace,
        "SELECT quote, rate, arrival, until_arrival, outcome FROM fx_rates_history ORDER BY arrival, quote",
    )
}

/// States of the files: `current/superseded/duplicate/quarantined/held`.
fn states(workspace: &Workspace) -> Vec<String> {
    query(
        workspace,
        "SELECT arrival, current, superseded, duplicate, quarantined, held FROM files ORDER BY arrival",
    )
}

#[test]
fn a_later_delivery_supersedes_and_the_earlier_version_stays_in_the_history() {
    let w = rates("mode = \"upsert\"");
    deliver(&w, "a", &["EUR/USD 1.10", "EUR/GBP 0.85", "EUR/JPY 160"]);
    deliver(&w, "b", &["EUR/USD 1.20", "EUR/GBP 0.85"]);
    assert_eq!(
        current(&w),
        ["GBP|0.85000000|1", "JPY|160.00000000|1", "USD|1.20000000|2"]
    );
    assert_eq!(history(&w), ["USD|1.10000000|1|2|superseded"]);
    assert_eq!(states(&w), ["1|2|1|0|0|0", "2|1|0|1|0|0"]);
    // back to the first value: a third version
    deliver(&w, "c", &["EUR/USD 1.10"]);
    assert_eq!(current(&w)[2], "USD|1.10000000|3");
    assert_eq!(history(&w).len(), 2);
    let before = w.release_hashes();
    assert!(w.ok(&["run"]).stdout.contains("nothing to do"));
    std::fs::remove_dir_all(w.warehouse()).expect("the warehouse goes");
    w.ok(&["run"]);
    assert_eq!(w.release_hashes(), before, "a rebuild gives the same bytes");
    w.ok(&["verify"]);
}

#[test]
fn equal_order_and_other_values_put_both_into_quarantine_and_a_later_one_settles_it() {
    let w = rates("mode = \"upsert\"");
    deliver(&w, "a", &["EUR/USD 1.10", "EUR/USD 1.11", "EUR/GBP 0.85"]);
    assert_eq!(current(&w), ["GBP|0.85000000|1"]);
    assert_eq!(states(&w), ["1|1|0|0|2|0"]);
    let told = query(
        &w,
        "SELECT source_line, rule, reason FROM quarantine ORDER BY source_line",
    );
    assert!(
        told[0].starts_with("2|key.conflict|") && told[0].contains("in/a.csv line 3"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("3|key.conflict|") && told[1].contains("in/a.csv line 2"),
        "{told:?}"
    );
    deliver(&w, "b", &["EUR/USD 1.12"]);
    assert_eq!(current(&w), ["GBP|0.85000000|1", "USD|1.12000000|2"]);
    assert_eq!(query(&w, "SELECT COUNT(*) AS n FROM conflicts"), ["0"]);
}

#[test]
fn without_an_order_the_current_row_goes_into_quarantine_too_and_stays_there() {
    let w = rates("");
    deliver(&w, "a", &["EUR/USD 1.10", "EUR/GBP 0.85"]);
    deliver(&w, "b", &["EUR/USD 1.11", "EUR/GBP 0.85"]);
    deliver(&w, "c", &["EUR/USD 1.11"]);
    assert_eq!(current(&w), ["GBP|0.85000000|1"]);
    assert_eq!(states(&w), ["1|1|0|0|1|0", "2|0|0|1|1|0", "3|0|0|0|1|0"]);
}

#[test]
fn in_a_snapshot_an_absent_key_has_ended() {
    let w = rates("mode = \"snapshot\"");
    deliver(&w, "a", &["EUR/USD 1.10", "EUR/GBP 0.85", "EUR/JPY 160"]);
    deliver(&w, "b", &["EUR/USD 1.20", "EUR/JPY 160"]);
    assert_eq!(current(&w), ["JPY|160.00000000|1", "USD|1.20000000|2"]);
    assert_eq!(
        history(&w),
        ["GBP|0.85000000|1|2|ended", "USD|1.10000000|1|2|superseded"]
    );
    deliver(&w, "c", &["EUR/GBP 0.85", "EUR/USD 1.20", "EUR/JPY 160"]);
    assert_eq!(current(&w)[0], "GBP|0.85000000|3");
    // a snapshot with a mistake names fewer keys than there are: nothing ends
    w.write(
        "in/d.csv",
        "base,quote,date,rate,source\nEUR,USD,2026-06-30,1.20,bank\nEUR,GBP,2026-06-30,much,bank\n",
    );
    let ran = w.run(&["run"]);
    assert!(
        ran.stdout.contains("snapshot.incomplete"),
        "{}\n{}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(current(&w).len(), 3);
}

#[test]
fn an_older_file_that_comes_late_is_stale() {
    let w = rates("mode = \"upsert\"\norder = { file_name = 'rates-(?P<order>[0-9-]+)\\.csv$' }");
    deliver(&w, "rates-2026-07-03", &["EUR/USD 1.13"]);
    deliver(&w, "rates-2026-07-01", &["EUR/USD 1.11"]);
    assert_eq!(current(&w), ["USD|1.13000000|1"]);
    assert_eq!(history(&w), ["USD|1.11000000|2|2|stale"]);
    // the same value, confirmed later: what comes in between is stale as well
    deliver(&w, "rates-2026-07-09", &["EUR/USD 1.13", "EUR/GBP 0.85"]);
    deliver(&w, "rates-2026-07-05", &["EUR/USD 1.15"]);
    assert_eq!(current(&w), ["GBP|0.85000000|3", "USD|1.13000000|3"]);
    assert_eq!(states(&w), ["1|0|0|1|0|0", "2|0|1|0|0|0", "3|2|0|0|0|0", "4|0|1|0|0|0"]);
    w.write(
        "in/rates-latest.csv",
        "base,quote,date,rate,source\nEUR,USD,2026-06-30,9,bank\n",
    );
    let ran = w.run(&["run"]);
    assert!(ran.stdout.contains("order.file_name"), "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(current(&w).len(), 2);
}

#[test]
fn deliveries_in_any_order_come_to_the_same_current_rows() {
    let declared = "mode = \"upsert\"\norder = { file_name = '(?P<order>[0-9]+)\\.csv$' }";
    let files: [(&str, &[&str]); 3] = [
        ("r-20260701", &["EUR/USD 1.11", "EUR/GBP 0.81"]),
        ("r-20260702", &["EUR/USD 1.12"]),
        ("r-20260703", &["EUR/GBP 0.83", "EUR/USD 1.12"]),
    ];
    let rows = |order: [usize; 3]| {
        let w = rates(declared);
        for i in order {
            deliver(&w, files[i].0, files[i].1);
        }
        query(&w, "SELECT quote, rate FROM fx_rates ORDER BY quote")
    };
    let expected = ["GBP|0.83000000", "USD|1.12000000"];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        assert_eq!(rows(order), expected, "{order:?}");
    }
}

#[test]
fn a_row_that_names_an_unknown_product_waits_for_it_and_not_for_ever() {
    let w = workspace(
        "[[source]]\nname = \"products\"\nfeed = \"products\"\nfiles = [\"in/products-*.csv\"]\nformat = \"csv\"\n\
         [[source]]\nname = \"domains\"\nfeed = \"domains\"\nfiles = [\"in/domains-*.csv\"]\nformat = \"csv\"\n",
    );
    w.edit(
        "schemas/products.odcs.yaml",
        "      - property: kind",
        "      - property: heldDays\n        value: 30\n      - property: kind",
    );
    let product = |id: &str, domain: &str| {
        format!(
            "product_id,valid_from,name,family,domain,category,incentive_eligible,valid_to\n{id},2026-01-01,Thing,F,{domain},A,true,\n"
        )
    };
    w.write("in/products-1.csv", &product("X1", "optics"));
    w.ok(&["run"]);
    assert_eq!(
        query(&w, "SELECT missing_table, missing_column, missing_value FROM held"),
        ["domains|domain|optics"]
    );
    assert_eq!(states(&w), ["1|0|0|0|0|1"]);
    w.write("in/domains-1.csv", "domain,name,member_of\noptics,Optics,\n");
    w.ok(&["run"]);
    assert_eq!(
        query(&w, "SELECT product_id, arrival, source_line FROM products"),
        ["X1|1|2"]
    );
    assert_eq!(states(&w), ["1|1|0|0|0|0", "2|1|0|0|0|0"]);
    // another one waits, and the present moves on by more than the 30 days of the contract
    w.write("in/products-2.csv", &product("X2", "sonar"));
    w.ok(&["run"]);
    w.edit("pipelines/daily.toml", "2026-10-12T06:00:00Z", "2026-11-20T06:00:00Z");
    w.ok(&["run"]);
    assert_eq!(query(&w, "SELECT COUNT(*) AS n FROM held"), ["0"]);
    assert_eq!(
        query(&w, "SELECT rule, source_line FROM quarantine"),
        ["reference.expired|2"]
    );
}

#[test]
fn a_contract_that_gets_stricter_sends_rows_to_quarantine_and_the_run_goes_on() {
    let w = rates("");
    deliver(&w, "a", &["EUR/USD 1.10", "EUR/JPY 160"]);
    w.edit(
        "schemas/fx_rates.odcs.yaml",
        "minimum: 0.00000001",
        "minimum: 0.00000001\n          maximum: 100",
    );
    w.ok(&["run"]);
    assert_eq!(current(&w), ["USD|1.10000000|1"]);
    assert_eq!(query(&w, "SELECT rule, source_line FROM quarantine"), ["value.range|3"]);
    assert_eq!(states(&w), ["1|1|0|0|1|0"]);
}

#[test]
fn fault_33_rows_of_another_partner_are_rejected() {
    let w = workspace(
        "[[source]]\nname = \"domains\"\nfeed = \"domains\"\nfiles = [\"in/domains-*.csv\"]\nformat = \"csv\"\n\
         [[source]]\nname = \"partners\"\nfeed = \"partners\"\nfiles = [\"in/partners-*.csv\"]\nformat = \"csv\"\n\
         [[source]]\nname = \"events\"\nfeed = \"key_events\"\nfiles = [\"in/events-*.csv\"]\nformat = \"csv\"\n\
         irregular = true\nsender = { partners = [\"P2\"], regions = [\"emea\"] }\n",
    );
    let partner = |id: &str, region: &str| {
        format!(
            "{id},2025-01-01,,{id},{id} GmbH,{region},DE,Europe/Berlin,gold,de,EUR,,example.test,active,2025-01-01,,\n"
        )
    };
    let header = "partner_id,valid_from,parent_partner_id,legal_name,legal_entity,region,country,time_zone,tier,language,\
                  currency,tax_category,allowed_mail_domains,status,joined_on,left_on,merged_into\n";
    let partners = [partner("P1", "emea"), partner("P2", "apac"), partner("P3", "apac")].concat();
    w.write("in/partners-1.csv", &format!("{header}{partners}"));
    let mut events =
        "event_id,partner_id,domain,occurred_on,code,level,direction,red_line,self_reported,evidence\n".to_owned();
    for (i, partner) in ["P1", "P2", "P3"].iter().enumerate() {
        events.push_str(&format!(
            "E{i},{partner},,2026-07-0{},praise,minor,positive,none,false,letter\n",
            i + 1
        ));
    }
    w.write("in/events-1.csv", &events);
    w.ok(&["run"]);
    // of its region, and by name; the third is neither, and named with file and line
    assert_eq!(
        query(&w, "SELECT event_id FROM key_events ORDER BY event_id"),
        ["E0", "E1"]
    );
    let told = query(
        &w,
        "SELECT source_file, source_line, column_name, rule, reason FROM quarantine",
    );
    assert_eq!(
        told,
        ["in/events-1.csv|4|partner_id|sender.partner|the source 'events' may not speak for partner P3"]
    );
}
