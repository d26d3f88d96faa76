//! The columns of every feed, in the order of its files.
//!
//! Duty: names. Not its duty: types and checks; the contracts in `schemas/` hold those, and a test compares the two.

pub(super) type Header = &'static [&'static str];

#[rustfmt::skip]
pub(super) const FEEDS: [(&str, Header); 22] = [
    ("partners", &["partner_id", "valid_from", "parent_partner_id", "legal_name", "legal_entity", "region", "country", "time_zone", "tier", "language", "currency", "tax_category", "allowed_mail_domains", "status", "joined_on", "left_on", "merged_into"]),
    ("contacts", &["partner_id", "email", "role", "name", "language", "wants", "valid_from", "valid_to"]),
    ("domains", &["domain", "name", "member_of"]),
    ("certifications", &["partner_id", "domain", "valid_from", "stars", "standard", "valid_to", "status"]),
    ("engineers", &["engineer_id", "certificate_code", "issued_on", "partner_id", "domain", "level", "role", "expires_on", "revoked_on"]),
    ("products", &["product_id", "valid_from", "name", "family", "domain", "category", "incentive_eligible", "valid_to"]),
    ("holidays", &["region", "date", "name"]),
    ("fx_rates", &["base", "quote", "date", "rate", "source"]),
    ("targets", &["partner_id", "scheme", "period", "kind", "amount", "currency"]),
    ("deliveries", &["delivery_id", "partner_id", "customer_id", "customer_class", "kind", "service_model", "product_id", "severity", "opened_at", "due_at", "completed_at", "first_of_product", "site_count", "status"]),
    ("surveys", &["survey_id", "delivery_id", "customer_id", "sent_at", "answered_at", "rating", "scale_min", "scale_max", "selected_by", "responsibility_share", "vendor_fault", "comment"]),
    ("inspections", &["inspection_id", "delivery_id", "inspected_on", "selected_by", "score", "score_max", "critical", "major", "minor", "critical_closed_on"]),
    ("spare_parts", &["rma_line_id", "rma_id", "partner_id", "product_id", "part_no", "quantity", "list_price", "currency", "shipped_on", "received_on", "due_on", "extended_to", "returned_on", "returned_quantity", "serial_out", "serial_in", "disposition", "disposition_on", "evidence"]),
    ("key_events", &["event_id", "partner_id", "domain", "occurred_on", "code", "level", "direction", "red_line", "self_reported", "evidence"]),
    ("enablement", &["event_id", "partner_id", "engineer_id", "type", "provider", "domain", "hours", "credits", "completed_on"]),
    ("support", &["support_id", "partner_id", "product_id", "type", "requested_at", "provided_at"]),
    ("sales", &["order_line_id", "partner_id", "product_id", "line_kind", "service_model", "list_amount", "discount_rate", "net_amount", "quantity", "currency", "selling_entity", "ordered_on", "invoiced_on", "original_order_line_id"]),
    ("payments", &["payment_id", "order_line_id", "settlement_no", "paid_on", "amount", "currency"]),
    ("claims", &["claim_id", "partner_id", "scheme", "period", "amount", "currency", "claimed_on", "proof"]),
    ("disputes", &["dispute_id", "settlement_no", "line", "raised_on", "reason", "resolution", "resolved_on"]),
    ("manual_adjustments", &["adjustment_id", "partner_id", "period", "scheme", "amount", "currency", "reason", "requested_by", "approved_by", "approved_on"]),
    ("decisions", &["decision_id", "kind", "subject", "subject_hash", "outcome", "amount", "currency", "effective_on", "reason", "by", "role", "decided_at"]),
];

/// The columns of a feed; none for a name that is no feed.
pub(super) fn header(feed: &str) -> Header {
    FEEDS
        .iter()
        .find(|(name, _)| *name == feed)
        .map_or(&[], |(_, header)| *header)
}

/// Names that the sales files of EMEA use.
pub(super) const EMEA_SALES: &[(&str, &str)] = &[
    ("order_line_id", "Auftragsposition"),
    ("partner_id", "Partner"),
    ("net_amount", "Nettobetrag"),
    ("list_amount", "Listenbetrag"),
    ("quantity", "Menge"),
    ("currency", "Währung"),
];

/// Lines above the header of the inspection files of APAC.
pub(super) const APAC_INSPECTIONS: &[&str] = &["Engineering quality inspections", "Exported by: field quality office"];
