//! The words that a contract may use.
//!
//! Duty: the keys of the Open Data Contract Standard v3.1 where the program looks at them, and its own custom
//! properties. Not its duty: what they mean.

/// Of the document.
pub(super) const DOCUMENT_KEYS: &[&str] = &[
    "apiVersion",
    "kind",
    "id",
    "name",
    "version",
    "status",
    "schema",
    "description",
    "tenant",
    "tags",
    "servers",
    "dataProduct",
    "domain",
    "support",
    "price",
    "team",
    "roles",
    "slaDefaultElement",
    "slaProperties",
    "authoritativeDefinitions",
    "customProperties",
    "contractCreatedTs",
];

/// Of the table. Its `relationships` are not among them: references stand at their columns.
pub(super) const TABLE_KEYS: &[&str] = &[
    "name",
    "id",
    "description",
    "logicalType",
    "physicalType",
    "physicalName",
    "businessName",
    "dataGranularityDescription",
    "tags",
    "authoritativeDefinitions",
    "customProperties",
    "properties",
    "quality",
];

/// Custom properties of the table: all of them are ours.
pub(super) const TABLE_PROPERTIES: &[&str] = &[
    "kind",
    "businessDate",
    "partition",
    "rejectThreshold",
    "heldDays",
    "drift",
    "thinShare",
    "thinMinimum",
];

/// Of a quality rule of the table.
pub(super) const QUALITY_KEYS: &[&str] = &[
    "id",
    "name",
    "type",
    "engine",
    "implementation",
    "severity",
    "description",
    "dimension",
    "businessImpact",
    "authoritativeDefinitions",
    "customProperties",
    "method",
    "schedule",
    "scheduler",
    "tags",
    "unit",
    "metric",
    "rule",
    "arguments",
    "query",
    "mustBe",
    "mustNotBe",
    "mustBeBetween",
    "mustNotBeBetween",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
];

/// Of a column.
pub(super) const COLUMN_KEYS: &[&str] = &[
    "name",
    "id",
    "description",
    "logicalType",
    "physicalType",
    "required",
    "primaryKey",
    "primaryKeyPosition",
    "logicalTypeOptions",
    "relationships",
    "quality",
    "classification",
    "customProperties",
    "partitioned",
    "partitionKeyPosition",
    "physicalName",
    "businessName",
    "examples",
    "tags",
    "authoritativeDefinitions",
    "criticalDataElement",
    "transformSourceObjects",
    "transformLogic",
    "transformDescription",
];

/// Custom properties of a column: all of them are ours.
pub(super) const COLUMN_PROPERTIES: &[&str] = &["role", "format", "items", "money", "drift"];

/// Of `logicalTypeOptions`: only what is applied.
pub(super) const COLUMN_OPTIONS: &[&str] = &["minimum", "maximum", "pattern"];

/// Of a quality rule of a column.
pub(super) const COLUMN_RULE_KEYS: &[&str] = &[
    "metric",
    "arguments",
    "mustBe",
    "type",
    "id",
    "name",
    "description",
    "dimension",
    "businessImpact",
    "tags",
    "unit",
];
