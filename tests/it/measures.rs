//! The same statements in another engine: DuckDB gives exactly equal results.

use crate::support::python::script;
use crate::support::ran_sample;

#[test]
fn duckdb_gives_exactly_the_results_of_polars() {
    let workspace = ran_sample();
    let compare = include_str!("../compare_engines.py");
    let printed = script(compare, &[&workspace.path().to_string_lossy()]);
    assert!(printed.lines().count() >= 7, "{printed}");
}
