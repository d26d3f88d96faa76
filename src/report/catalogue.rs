//! The catalogue of tables: what each holds, its columns, where it comes from, how to ask it.
//!
//! Duty: sections from the contracts as they stand in their files, and example queries. Not its duty: holding data to a
//! contract (`contracts`).

use serde::Deserialize;

use super::view::{Cell, Section, TableView};
use crate::domain::{Finding, Place};

/// A table of the catalogue.
#[derive(Clone, Debug)]
pub struct Entry {
    contract: Document,
    /// Tables that it is made from, and the statement, where a measure makes it.
    pub reads: Vec<String>,
    pub sql: Option<String>,
    /// Sources that deliver it.
    pub sources: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    description: Purpose,
    schema: Vec<Schema>,
}

#[derive(Clone, Debug, Deserialize)]
struct Purpose {
    purpose: String,
    limitations: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    name: String,
    description: String,
    data_granularity_description: Option<String>,
    properties: Vec<Property>,
    #[serde(default)]
    custom_properties: Vec<Custom>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Property {
    name: String,
    description: Option<String>,
    physical_type: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    primary_key: bool,
    #[serde(default)]
    relationships: Vec<Relationship>,
    classification: Option<String>,
    #[serde(default)]
    custom_properties: Vec<Custom>,
}

#[derive(Clone, Debug, Deserialize)]
struct Relationship {
    to: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Custom {
    property: String,
    value: serde_json::Value,
}

impl Entry {
    /// Reads a contract file; the finding says what is wrong with it.
    pub fn read(file: &str, text: &str) -> Result<Entry, Box<Finding>> {
        let wrong = |message: String| {
            Box::new(Finding::error(
                Place::file(file),
                "contract.shape",
                message,
                "`starledger check` says what the contract lacks",
            ))
        };
        let contract: Document = serde_saphyr::from_str(text).map_err(|e| wrong(e.to_string()))?;
        if contract.schema.is_empty() {
            return Err(wrong("it has no schema".to_owned()));
        }
        Ok(Entry {
            contract,
            reads: Vec::new(),
            sql: None,
            sources: Vec::new(),
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.contract.schema.first().map_or("", |schema| &schema.name)
    }

    fn custom(&self, property: &str) -> Option<String> {
        let schema = self.contract.schema.first()?;
        let found = schema
            .custom_properties
            .iter()
            .find(|custom| custom.property == property)?;
        found.value.as_str().map(str::to_owned)
    }

    /// Whether people and systems deliver it.
    fn is_feed(&self) -> bool {
        self.custom("kind").is_some_and(|kind| kind != "output")
    }
}

/// One section for all tables at a glance, then one for each.
#[must_use]
pub fn sections(entries: &[Entry]) -> Vec<Section> {
    let mut first = Section::new(
        "tables",
        "Tables",
        "Parquet below warehouse/current/<table>/. Feeds are what was delivered, current versions of each key; outputs are made by a run.",
    );
    let mut table = TableView::new("Tables", &["table", "kind", "one row is", "what it holds"]);
    for entry in entries {
        let Some(schema) = entry.contract.schema.first() else {
            continue;
        };
        table.push([
            Cell {
                text: schema.name.clone(),
                href: Some(format!("#{}", schema.name)),
            },
            if entry.is_feed() { "feed" } else { "output" }.into(),
            schema.data_granularity_description.clone().unwrap_or_default().into(),
            schema.description.trim().into(),
        ]);
    }
    first.tables.push(table);
    std::iter::once(first)
        .chain(entries.iter().filter_map(section))
        .collect()
}

fn section(entry: &Entry) -> Option<Section> {
    let schema = entry.contract.schema.first()?;
    let mut says = vec![schema.description.trim().to_owned()];
    says.extend(
        schema
            .data_granularity_description
            .as_ref()
            .map(|grain| format!("One row: {grain}")),
    );
    says.push(format!("Purpose: {}", entry.contract.description.purpose.trim()));
    says.extend(
        entry
            .contract
            .description
            .limitations
            .as_ref()
            .map(|l| format!("Limitations: {}", l.trim())),
    );
    says.extend(
        entry
            .custom("partition")
            .map(|column| format!("Partitioned by {column}.")),
    );
    if !entry.sources.is_empty() {
        says.push(format!("Delivered by the sources {}.", entry.sources.join(", ")));
    }
    if !entry.reads.is_empty() {
        says.push(format!("Made from {}.", entry.reads.join(", ")));
    }
    let mut section = Section::new(&schema.name, &schema.name, &says.join(" "));
    let mut table = TableView::new(
        &format!("Columns of {}", schema.name),
        &[
            "column",
            "type",
            "key",
            "always there",
            "meaning",
            "refers to",
            "unit or form",
        ],
    );
    for column in &schema.properties {
        let forms = column.custom_properties.iter().filter_map(|custom| {
            let value = custom.value.as_str()?;
            match custom.property.as_str() {
                "money" => Some(format!("money in {value}")),
                "format" => Some(value.to_owned()),
                "unit" => Some(value.to_owned()),
                _ => None,
            }
        });
        let mut forms: Vec<String> = forms.collect();
        forms.extend(column.classification.clone());
        let references: Vec<&str> = column.relationships.iter().map(|r| r.to.as_str()).collect();
        table.push([
            column.name.as_str().into(),
            column.physical_type.as_str().into(),
            if column.primary_key { "key" } else { "" }.into(),
            if column.required { "yes" } else { "" }.into(),
            column.description.clone().unwrap_or_default().trim().into(),
            references.join(", ").into(),
            forms.join(", ").into(),
        ]);
    }
    section.tables.push(table);
    let is_personal = |column: &&Property| column.classification.as_deref() == Some("personal");
    let columns: Vec<&str> = schema
        .properties
        .iter()
        .filter(|column| !is_personal(column))
        .map(|column| column.name.as_str())
        .take(6)
        .collect();
    section.code = queries(&schema.name, &columns);
    if let Some(sql) = &entry.sql {
        section
            .code
            .push(("The statement that makes it".to_owned(), sql.trim().to_owned()));
    }
    Some(section)
}

/// The same question in each tool, from the folder of the workspace.
fn queries(table: &str, columns: &[&str]) -> Vec<(String, String)> {
    let files = format!("warehouse/current/{table}/**/*.parquet");
    let quoted: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    // quoted everywhere: `check` and `period` are words of SQL
    let quoted = quoted.join(", ");
    vec![
        (
            "DuckDB".to_owned(),
            format!("SELECT {quoted}\nFROM read_parquet('{files}', hive_partitioning = false)\nLIMIT 10;"),
        ),
        (
            "Polars".to_owned(),
            format!(
                "import polars as pl\npl.scan_parquet(\"{files}\", hive_partitioning=False).select({quoted}).head(10).collect()"
            ),
        ),
        (
            "pandas".to_owned(),
            format!(
                "import pandas as pd\npd.read_parquet(\"warehouse/current/{table}\", partitioning=None, columns=[{quoted}]).head(10)"
            ),
        ),
        (
            "Spark".to_owned(),
            format!(
                "df = spark.read.option(\"recursiveFileLookup\", True).parquet(\"warehouse/current/{table}\")\ndf.select({quoted}).show(10)"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_becomes_a_section_with_columns_and_queries() {
        let text = "apiVersion: v3.1.0\ndescription:\n  purpose: Tells.\nschema:\n  - name: things\n    description: Things.\n    \
                    dataGranularityDescription: One thing.\n    customProperties:\n      - property: kind\n        value: output\n    \
                    properties:\n      - name: thing_id\n        description: Which <one>.\n        physicalType: VARCHAR\n        \
                    required: true\n        primaryKey: true\n";
        let entry = Entry::read("schemas/things.odcs.yaml", text).unwrap();
        let found = sections(&[entry]);
        assert_eq!(found.len(), 2);
        let cells: Vec<&str> = found[1].tables[0].rows[0]
            .iter()
            .map(|cell| cell.text.as_str())
            .collect();
        assert_eq!(cells, ["thing_id", "VARCHAR", "key", "yes", "Which <one>.", "", ""]);
        assert!(
            found[1].code[0]
                .1
                .starts_with("SELECT \"thing_id\"\nFROM read_parquet('warehouse/current/things/")
        );
        let wrong = Entry::read("schemas/x.odcs.yaml", "schema: 3").unwrap_err();
        assert!(wrong.to_string().starts_with("error: schemas/x.odcs.yaml"), "{wrong}");
    }
}
