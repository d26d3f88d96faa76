//! A configuration that is not in order: every finding with place and remedy, all at once, exit code 2.

use crate::support::Workspace;

#[test]
fn all_findings_of_all_files_at_once() {
    let workspace = Workspace::sample();
    let global = "pipelines/rules/global/2025-10-01.toml";
    workspace.edit(global, "[satisfaction]", "[satisfaction]\nwieght = \"1\"");
    workspace.edit(global, "weight = \"25\"", "weight = \"26\"");
    workspace.write(
        "pipelines/rules/emea/2026-04-01-again.toml",
        "effective_from = \"2026-04-01\"\n",
    );
    workspace.edit(
        "schemas/sales.odcs.yaml",
        "physicalType: BIGINT",
        "physicalType: BIGINTEGER",
    );
    workspace.write("pipelines/measures/extra.sql", "SELECT a / b AS c FROM sales");
    workspace.write("pipelines/sources/empty.toml", "");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2, "{}\n{}", ran.stdout, ran.stderr);
    // an empty file is told first, since nothing can be read before it has content
    assert!(
        ran.stderr.contains("pipelines/sources/empty.toml: the file is empty"),
        "{}",
        ran.stderr
    );
    std::fs::remove_file(workspace.path().join("pipelines/sources/empty.toml")).expect("it goes");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2, "{}\n{}", ran.stdout, ran.stderr);
    for place in [
        global,
        "wieght",
        "emea/2026-04-01",
        "schemas/sales.odcs.yaml:",
        "BIGINTEGER",
    ] {
        assert!(ran.stderr.contains(place), "{place} is not named:\n{}", ran.stderr);
    }
    let helps = ran.stderr.matches("help:").count();
    assert!(helps >= 4, "{helps} remedies:\n{}", ran.stderr);
    assert!(!workspace.warehouse().exists(), "a check that failed wrote something");
    assert_eq!(workspace.run(&["run"]).code, 2);
}

#[test]
fn measures_outside_the_subset_are_refused() {
    let workspace = Workspace::sample();
    workspace.write("pipelines/measures/extra.sql", "SELECT net_amount / 2 AS c FROM sales");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("pipelines/measures/extra.sql:1") && ran.stderr.contains("measure.division"),
        "{}",
        ran.stderr
    );
}

#[test]
fn weights_that_do_not_add_up_and_bands_with_a_gap_point_at_their_lines() {
    let workspace = Workspace::sample();
    let global = "pipelines/rules/global/2025-10-01.toml";
    workspace.edit(global, "weight = \"25\"", "weight = \"26\"");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("add up to 101"), "{}", ran.stderr);
    let line = ran
        .stderr
        .lines()
        .find(|l| l.contains("add up to 101"))
        .unwrap_or_default();
    assert!(line.contains(&format!("{global}:")), "{line}");
}

#[test]
fn a_folder_that_is_no_workspace_and_commands_without_a_release() {
    let workspace = Workspace::sample();
    let folder = workspace.path().join("nothing");
    std::fs::create_dir(&folder).expect("a folder");
    let elsewhere = folder.to_string_lossy().into_owned();
    let ran = workspace.run(&["--workspace", &elsewhere, "run"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("starledger init"), "{}", ran.stderr);
    let ran = workspace.run(&["query", "SELECT 1 AS one"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("starledger run"), "{}", ran.stderr);
    assert_eq!(workspace.run(&["run", "weekly"]).code, 2);
    assert_eq!(workspace.run(&["frobnicate"]).code, 2);
}

#[test]
fn tables_and_measures_that_the_program_needs_are_missed_by_check() {
    let workspace = Workspace::sample();
    for file in [
        "schemas/held.odcs.yaml",
        "schemas/ledger.odcs.yaml",
        "pipelines/measures/parts.sql",
    ] {
        std::fs::remove_file(workspace.path().join(file)).expect("it goes");
    }
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    for file in ["schemas/held.odcs.yaml", "schemas/ledger.odcs.yaml"] {
        assert!(ran.stderr.contains(file), "{file} is not named:\n{}", ran.stderr);
    }
}

#[test]
fn an_empty_programme_runs() {
    let workspace = Workspace::sample();
    std::fs::remove_dir_all(workspace.path().join("sample_data")).expect("the inbox goes");
    workspace.ok(&["run"]);
    let counted = workspace.ok(&["query", "--json", "SELECT COUNT(*) AS n FROM partner_scores"]);
    assert!(counted.stdout.contains("\"n\": 0"), "{}", counted.stdout);
    workspace.ok(&["verify"]);
    // and takes in what arrives later
    crate::support::workspace::copy(
        &crate::support::workspace::repository().join("sample_data"),
        &workspace.path().join("sample_data"),
    );
    workspace.ok(&["run"]);
    workspace.ok(&["verify"]);
}

/// A wrong source sets its files aside; the corrected one reads them, without a new delivery.
#[test]
fn a_corrected_source_reads_what_was_set_aside() {
    let workspace = Workspace::sample();
    let source = "pipelines/sources/emea.toml";
    let right = std::fs::read_to_string(workspace.path().join(source)).expect("the source");
    workspace.write(source, &right.replace("delimiter = \";\"", "delimiter = \"|\""));
    workspace.ok(&["run"]);
    let count = |sql: &str| -> i64 {
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows");
        rows[0]["n"].as_i64().expect("a count")
    };
    let aside = "SELECT COUNT(*) AS n FROM files WHERE state = 'set_aside'";
    let before = count(aside);
    assert!(before > 10, "{before}");
    workspace.write(source, &right);
    workspace.ok(&["run"]);
    assert_eq!(count(aside), 2);
    let plain = crate::support::ran_sample();
    for table in ["scores/", "ledger/", "rebates/"] {
        let of = |w: &Workspace| -> Vec<_> {
            w.release_hashes()
                .into_iter()
                .filter(|(p, _)| p.starts_with(table))
                .collect()
        };
        if table != "ledger/" {
            assert_eq!(of(&workspace), of(&plain), "{table}");
        }
    }
    workspace.ok(&["verify"]);
}

/// A held row outlives its source's name, and resolves when its reference arrives.
#[test]
fn held_rows_wait_for_their_reference_even_if_their_source_is_renamed() {
    let workspace = crate::support::ran_sample();
    let held = |w: &Workspace| -> Vec<serde_json::Value> {
        let sql = "SELECT feed, missing_table, missing_value FROM held ORDER BY arrival, source_line";
        serde_json::from_str(&w.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
    };
    let before = held(&workspace);
    let unknown = before
        .iter()
        .find(|r| r["missing_table"] == "partners")
        .expect("a row of an unknown partner");
    let text = std::fs::read_to_string(workspace.path().join("pipelines/sources/emea.toml")).expect("sources");
    workspace.write(
        "pipelines/sources/emea.toml",
        &text.replace("name = \"emea", "name = \"europe"),
    );
    let partners =
        std::fs::read_to_string(workspace.path().join("sample_data/reference/partners.csv")).expect("partners");
    let mut lines = partners.lines();
    let header = lines.next().expect("a header");
    let first = lines.next().expect("a partner");
    let id = first.split(',').next().expect("an id");
    let row = first.replacen(id, unknown["missing_value"].as_str().expect("a value"), 1);
    workspace.write("sample_data/reference/partners-new.csv", &format!("{header}\n{row}\n"));
    workspace.ok(&["run"]);
    let after = held(&workspace);
    assert!(after.len() < before.len(), "{before:?} {after:?}");
    workspace.ok(&["verify"]);
}

/// A file that two sources claim is taken in by neither, until they are told apart.
#[test]
fn a_file_claimed_twice_waits() {
    let workspace = Workspace::sample();
    let source = "pipelines/sources/finance.toml";
    let right = std::fs::read_to_string(workspace.path().join(source)).expect("the source");
    workspace.write(
        source,
        &format!("{right}\n[[source]]\nname = \"other\"\nfeed = \"payments\"\nformat = \"csv\"\nmode = \"append\"\nfiles = [\"sample_data/finance/claims*.csv\"]\n"),
    );
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("source.ambiguous"), "{}", ran.stderr);
    let claims = || {
        workspace
            .ok(&["query", "--json", "SELECT COUNT(*) AS n FROM claims"])
            .stdout
    };
    assert!(claims().contains("\"n\": 0"), "{}", claims());
    workspace.write(source, &right);
    workspace.ok(&["run"]);
    assert!(!claims().contains("\"n\": 0"), "{}", claims());
    // a name stands once
    workspace.write("pipelines/sources/copy.toml", &right);
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("source.duplicate_name"), "{}", ran.stderr);
}
