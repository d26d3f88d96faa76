//! Reads sources from TOML.
//!
//! Duty: one file's text to typed sources, or everything that is wrong with it, each with its line. Not its duty:
//! whether a source fits a contract (`Source::check`).

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::formats::Pattern;
use super::source::{Format, Skip, Source, Totals};
use super::toml_walk::{Document, Table};
use super::{source_arrival, source_forms};
use crate::domain::Findings;

const KEYS: [&str; 29] = [
    "proposed",
    "name",
    "feed",
    "files",
    "format",
    "compression",
    "encoding",
    "delimiter",
    "quote",
    "escape",
    "decimal_mark",
    "grouping_mark",
    "date_formats",
    "instant_formats",
    "time_zone",
    "overlap",
    "null_tokens",
    "sheet",
    "header_row",
    "hidden_rows",
    "rename",
    "values",
    "constants",
    "skip",
    "mode",
    "order",
    "sender",
    "ready",
    "irregular",
];

/// Last row that a workbook can have a header on.
const MAX_HEADER_ROW: u64 = 1000;

impl Source {
    /// Reads the sources of one file; `file` is its name for messages. An error holds every finding, not only the first.
    pub fn read(file: &str, text: &str) -> Result<Vec<Source>, Findings> {
        let mut document = Document::parse(file, text)?;
        let root = document.root();
        document.known_keys(&root, &["source"]);
        let tables = document.tables(&root, "source");
        let mut sources: Vec<Source> = Vec::new();
        for table in tables {
            if let Some(source) = read_source(&mut document, &table) {
                sources.push(source);
            }
        }
        let mut findings = document.into_findings();
        findings.extend(Source::check_all(&sources));
        findings.sort_by(|a, b| a.place.cmp(&b.place));
        if findings.is_empty() {
            Ok(sources)
        } else {
            Err(findings)
        }
    }
}

fn read_source(doc: &mut Document, table: &Table) -> Option<Source> {
    doc.known_keys(table, &KEYS);
    refuse_proposed(doc, table);
    let name = doc.required_text(table, "name");
    let feed = doc.required_text(table, "feed");
    let format = read_format(doc, table);
    if let Some(format) = format {
        source_forms::only_own_keys(doc, table, format);
    }
    let mode = source_arrival::read_mode(doc, table);
    let (files, globs) = read_files(doc, table);
    let (decimal_mark, grouping_mark) = source_forms::read_marks(doc, table);
    let date_formats = source_forms::read_patterns(doc, table, "date_formats", Pattern::date);
    let instant_formats = source_forms::read_patterns(doc, table, "instant_formats", Pattern::instant);
    let source = Source {
        // what is missing is a finding already; nothing is returned then
        name: name.clone().unwrap_or_default(),
        feed: feed.clone().unwrap_or_default(),
        files,
        format: format.unwrap_or(Format::Csv),
        compression: source_forms::read_compression(doc, table),
        encoding: source_forms::read_encoding(doc, table),
        dialect: source_forms::read_dialect(doc, table),
        sheet: doc.filled_text(table, "sheet"),
        header_row: doc
            .number(table, "header_row", 1, MAX_HEADER_ROW, "the row of the header, from 1")
            .unwrap_or(1),
        hidden_rows: source_forms::read_hidden_rows(doc, table),
        decimal_mark,
        grouping_mark,
        time_zone: source_forms::read_zone(doc, table, &instant_formats),
        date_formats,
        instant_formats,
        overlap: source_forms::read_overlap(doc, table),
        null_tokens: doc
            .texts(table, "null_tokens")
            .unwrap_or_default()
            .into_iter()
            .collect(),
        rename: doc.text_map(table, "rename"),
        values: doc.map_of_maps(table, "values"),
        constants: doc.text_map(table, "constants"),
        skip: read_skip(doc, table),
        mode,
        order: source_arrival::read_order(doc, table, mode),
        sender: source_arrival::read_sender(doc, table),
        ready: source_arrival::read_ready(doc, table),
        irregular: doc.flag(table, "irregular").unwrap_or(false),
        globs,
        declared_in: doc.file().to_owned(),
        lines: table.lines(),
    };
    (name.is_some() && feed.is_some() && format.is_some()).then_some(source)
}

/// A run never uses what nobody has confirmed.
fn refuse_proposed(doc: &mut Document, table: &Table) {
    if table.has("proposed") {
        let message = "the source is proposed by `source detect` and not confirmed";
        let remedy = "look at every line of it, decide what is open, then remove the line `proposed`";
        doc.error(table, "proposed", "source.proposed", message, remedy);
    }
}

fn read_format(doc: &mut Document, table: &Table) -> Option<Format> {
    match doc.required_text(table, "format")?.as_str() {
        "csv" => Some(Format::Csv),
        "json_lines" => Some(Format::JsonLines),
        "xlsx" => Some(Format::Xlsx),
        "parquet" => Some(Format::Parquet),
        other => {
            let message = format!("'{other}' is no format");
            let remedy = "write csv, json_lines, xlsx or parquet";
            doc.error(table, "format", "source.value", message, remedy);
            None
        }
    }
}

fn read_files(doc: &mut Document, table: &Table) -> (Vec<String>, GlobSet) {
    if !table.has("files") {
        doc.missing(table, "files");
    }
    let files = doc.texts(table, "files");
    let mut builder = GlobSetBuilder::new();
    if files.as_ref().is_some_and(Vec::is_empty) {
        doc.error(
            table,
            "files",
            "source.value",
            "there is no glob",
            "name at least one, such as inbox/sales-*.csv",
        );
    }
    let files = files.unwrap_or_default();
    for file in &files {
        if file.starts_with('/') || file.contains('\\') || file.contains(':') || file.split('/').any(|p| p == "..") {
            let message = format!("'{file}' leaves the workspace");
            doc.error(
                table,
                "files",
                "source.glob",
                message,
                "write it relative to the workspace, with / between folders",
            );
            continue;
        }
        match GlobBuilder::new(file)
            .literal_separator(true)
            .backslash_escape(false)
            .build()
        {
            Ok(glob) => {
                builder.add(glob);
            }
            Err(error) => {
                let message = format!("'{file}' is no glob: {}", error.kind());
                doc.error(
                    table,
                    "files",
                    "source.glob",
                    message,
                    "write one such as inbox/sales-*.csv",
                );
            }
        }
    }
    let globs = builder.build().unwrap_or_else(|error| {
        doc.error(table, "files", "source.glob", error.to_string(), "simplify the globs");
        GlobSet::empty()
    });
    (files, globs)
}

fn read_skip(doc: &mut Document, table: &Table) -> Skip {
    let Some(skip) = doc.table(table, "skip") else {
        return Skip::default();
    };
    doc.known_keys(&skip, &["preamble_lines", "repeated_header", "blank_rows", "totals"]);
    let totals = doc.table(&skip, "totals").and_then(|totals| {
        doc.known_keys(&totals, &["column", "starts_with"]);
        let column = doc.required_text(&totals, "column");
        let starts_with = doc.required_text(&totals, "starts_with");
        Some(Totals {
            column: column?,
            starts_with: starts_with?,
        })
    });
    Skip {
        preamble_lines: doc
            .number(&skip, "preamble_lines", 0, 1000, "a count of lines")
            .unwrap_or(0),
        repeated_header: doc.flag(&skip, "repeated_header").unwrap_or(false),
        blank_rows: doc.flag(&skip, "blank_rows").unwrap_or(false),
        totals,
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
