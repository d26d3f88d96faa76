//! Documents, statements, states and proposals as rows.
//!
//! Duty: the tables `settlements`, `statements`, `settlement_states`, `settlement_proposals`. Issued rows are appended and
//! never written again. Not its duty: amounts.

use std::collections::BTreeMap;

use super::feeds::{self, Adjustment};
use super::{Issue, PipelineError, Refresh};
use crate::domain::ids::PartnerId;
use crate::domain::time::add_days;
use crate::domain::{Date, Digest, Money, Period, Table, Value};
use crate::ledger::documents::{self, Document, DocumentKind};
use crate::ledger::settle::{Line, LineKind, Proposal};
use crate::pipeline::explain::rank;
use crate::rules::ProgrammeRules;

/// What documents and statements show beside amounts.
pub(super) struct Shown<'a> {
    pub adjustments: &'a [Adjustment],
    pub claims: &'a [Adjustment],
    /// What lies ahead of each key, in words: partner, scheme, earning period.
    pub ahead: &'a BTreeMap<[String; 3], Vec<String>>,
    pub rebates: &'a Table,
    pub partners: &'a Table,
    pub calendar: &'a str,
    pub dispute_days: u32,
}

/// Columns that a statement and a proposal share, behind their keys.
const LINE: [&str; 13] = [
    "line_no",
    "kind",
    "scheme",
    "earning_period",
    "domain",
    "component",
    "basis",
    "rate",
    "factor",
    "component_amount",
    "lines",
    "amount",
    "reason",
];

impl Refresh<'_> {
    /// Stages `settlements` and `statements`: the earlier rows as they are, and those of new documents.
    pub(super) fn stage_documents(
        &mut self,
        new: &[Document],
        issued: &BTreeMap<Period, Issue>,
        shown: &Shown<'_>,
    ) -> Result<(), PipelineError> {
        for name in ["settlements", "statements"] {
            self.staging.carry(name, |_| true)?;
        }
        let mut columns = documents::COLUMNS.to_vec();
        columns.extend([
            "calendar",
            "legal_entity",
            "tax_category",
            "dispute_until_on",
            "settlement_hash",
            "prepared_by",
            "approved_by",
            "closed_by",
        ]);
        let mut settlements = Table::new("settlements", &columns);
        let mut names = vec!["settlement_no", "partner_id", "currency", "period"];
        names.extend(LINE);
        let mut statements = Table::new("statements", &names);
        let (rebates, parties) = (rebates_by_key(shown.rebates)?, Parties::read(shown.partners)?);
        for document in new {
            let mut row = documents::to_row(document);
            row.push(shown.calendar.into());
            row.extend(parties.on(&document.partner, document.issued_on).map(Value::from));
            let mut rows = Lines::default();
            if document.kind == DocumentKind::Settlement {
                row.push(add_days(document.issued_on, shown.dispute_days).into());
                let issue = issued.get(&document.period);
                row.extend([
                    issue.map_or(Value::Null, |i| i.hash.into()),
                    issue.map(|i| i.prepared.as_str()).into(),
                    issue.map(|i| i.approved.as_str()).into(),
                    issue.map(|i| i.closed.as_str()).into(),
                ]);
                let whose = (document.partner.clone(), document.currency);
                if let Some(proposal) = issue.and_then(|i| i.proposals.get(&whose)) {
                    rows.of_proposal(proposal, document.period, &rebates, shown);
                }
            } else {
                row.extend([Value::Null, Value::Null, Value::Null, Value::Null, Value::Null]);
                rows.of_reversal(document);
            }
            settlements.push(row);
            for line in rows.rows {
                let mut row: Vec<Value> = vec![
                    document.name().into(),
                    document.partner.as_str().into(),
                    document.currency.code().into(),
                    document.period.to_string().into(),
                ];
                row.extend(line);
                statements.push(row);
            }
        }
        self.put(settlements)?;
        self.put(statements)
    }

    /// Stages `settlement_states`: what became of every document.
    pub(super) fn stage_states(
        &mut self,
        documents: &[Document],
        paid: &BTreeMap<i64, Money>,
        programme: &ProgrammeRules,
    ) -> Result<(), PipelineError> {
        let mut findings = Vec::new();
        let days = programme.settlement.dispute_days;
        let disputes = feeds::disputes(&self.table("disputes")?, documents, days, &mut findings)?;
        self.summary.findings.append(&mut findings);
        let columns = [
            "settlement_no",
            "state",
            "currency",
            "due_amount",
            "paid_amount",
            "open_amount",
            "dispute_id",
            "disputed_on",
            "reversed_by",
            "reason",
        ];
        let mut table = Table::new("settlement_states", &columns);
        let reversals = documents::reversals(documents);
        for document in documents {
            let zero = Money::zero(document.currency);
            let sum = paid.get(&document.number).copied().unwrap_or(zero);
            let reversed_by = reversals.get(&document.number);
            let dispute = disputes.get(&document.number);
            let is_disputed = dispute.is_some_and(|d| d.is_open);
            let is_settlement = document.kind == DocumentKind::Settlement;
            let state = match sum.minor_units().cmp(&document.due.minor_units()) {
                _ if !is_settlement => "reversal",
                _ if reversed_by.is_some() => "reversed",
                _ if document.due.is_zero() && sum.is_zero() => "carried",
                std::cmp::Ordering::Greater => "overpaid",
                _ if is_disputed => "disputed",
                std::cmp::Ordering::Equal => "paid",
                std::cmp::Ordering::Less if sum.is_zero() => "issued",
                std::cmp::Ordering::Less => "partly_paid",
            };
            let stands = is_settlement && reversed_by.is_none();
            let due = if stands { document.due } else { zero };
            let open = due
                .checked_sub(sum)
                .map_err(|e| PipelineError::stage("the settlement")(e.to_string()))?;
            table.push(vec![
                document.name().into(),
                state.into(),
                document.currency.code().into(),
                money(due),
                money(sum),
                money(open),
                dispute.map(|d| d.id.as_str()).into(),
                dispute.map(|d| d.raised_on).into(),
                reversed_by.map(|d| d.name()).into(),
                dispute.map(|d| d.says.as_str()).into(),
            ]);
        }
        self.put(table)
    }
}

/// The table `settlement_proposals`: what the first open posting period would settle.
pub(super) fn proposal(
    of: Option<(Period, Digest)>,
    proposals: &[Proposal],
    shown: &Shown<'_>,
) -> Result<Table, PipelineError> {
    let mut names = vec!["period", "settlement_hash", "partner_id", "currency"];
    names.extend(LINE);
    let mut table = Table::new("settlement_proposals", &names);
    let Some((period, hash)) = of else {
        return Ok(table);
    };
    let rebates = rebates_by_key(shown.rebates)?;
    for proposal in proposals {
        let mut lines = Lines::default();
        lines.of_proposal(proposal, period, &rebates, shown);
        for line in lines.rows {
            let mut row: Vec<Value> = vec![
                period.to_string().into(),
                hash.into(),
                proposal.partner.as_str().into(),
                proposal.currency.code().into(),
            ];
            row.extend(line);
            table.push(row);
        }
    }
    Ok(table)
}

fn money(amount: Money) -> Value {
    Value::Dec(amount.dec().rescale(4).unwrap_or_else(|| amount.dec()))
}

/// Components of rebates by partner, scheme, earning period and posting period, in their order.
type ByKey<'a> = BTreeMap<[String; 4], Vec<&'a crate::domain::Row>>;

fn rebates_by_key(rebates: &Table) -> Result<ByKey<'_>, PipelineError> {
    let mut out = ByKey::new();
    for row in rebates.iter() {
        let key = [
            row.text("partner_id")?.to_owned(),
            row.text("scheme")?.to_owned(),
            row.text("earning_period")?.to_owned(),
            row.text("period")?.to_owned(),
        ];
        out.entry(key).or_default().push(row.values());
    }
    let (domain, component) = (rebates.column("domain"), rebates.column("component"));
    for rows in out.values_mut() {
        rows.sort_by_cached_key(|row| {
            let text = |column: Option<usize>| column.map_or_else(String::new, |i| row[i].to_string());
            let (domain, component) = (text(domain), text(component));
            // the whole behind its domains
            (domain.is_empty(), domain, rank(&component))
        });
    }
    Ok(out)
}

/// Legal entity and tax category.
type Party = [Option<String>; 2];

/// Versions of partners, by the day from which they hold.
struct Parties(BTreeMap<PartnerId, BTreeMap<Date, Party>>);

impl Parties {
    fn read(partners: &Table) -> Result<Parties, PipelineError> {
        let mut parties: BTreeMap<PartnerId, BTreeMap<Date, Party>> = BTreeMap::new();
        for row in partners.iter() {
            let id = row.text("partner_id")?;
            let id = PartnerId::new(id).map_err(|e| PipelineError::stage("the partners")(format!("'{id}' {e}")))?;
            let text = |column| Ok::<_, PipelineError>(row.opt_text(column)?.map(str::to_owned));
            let party = [text("legal_entity")?, text("tax_category")?];
            parties.entry(id).or_default().insert(row.date("valid_from")?, party);
        }
        Ok(Parties(parties))
    }

    /// Of a partner on a day; before its first version those of that.
    fn on(&self, partner: &PartnerId, day: Date) -> Party {
        let Some(versions) = self.0.get(partner) else {
            return Party::default();
        };
        let then = versions.range(..=day).next_back().or(versions.iter().next());
        then.map(|(_, party)| party.clone()).unwrap_or_default()
    }
}

/// Lines of one statement, numbered from 1. Those of kind `component` explain the line before, those of kind `ahead` say
/// what was missing to more; both are in no total.
#[derive(Default)]
struct Lines {
    rows: Vec<Vec<Value>>,
}

impl Lines {
    fn push(&mut self, kind: &str, line: Option<&Line>, detail: [Value; 7], amount: Value, reason: Value) {
        let number = i64::try_from(self.rows.len()).unwrap_or(i64::MAX).saturating_add(1);
        let mut row: Vec<Value> = vec![
            number.into(),
            kind.into(),
            line.map(|l| l.scheme.as_str()).into(),
            line.map(|l| l.earning_period.to_string()).into(),
        ];
        row.extend(detail);
        row.push(amount);
        row.push(reason);
        self.rows.push(row);
    }

    fn total(&mut self, kind: &str, amount: Money, reason: Option<&str>) {
        self.push(kind, None, [const { Value::Null }; 7], money(amount), reason.into());
    }

    fn of_proposal(&mut self, proposal: &Proposal, period: Period, rebates: &ByKey<'_>, shown: &Shown<'_>) {
        if !proposal.carried_in.is_zero() {
            self.total(
                "carried_in",
                proposal.carried_in,
                Some("carried forward by the last document"),
            );
        }
        for line in &proposal.lines {
            let reason = match line.kind {
                LineKind::Earned => "earned, settled finally",
                LineKind::Adjusted => "changed since it was settled",
                LineKind::HoldReleased => "no longer on hold",
                LineKind::ManualAdjustment => "adjusted by people",
                LineKind::Claim => "approved claims on a fund",
            };
            let none = [const { Value::Null }; 7];
            self.push(line.kind.as_str(), Some(line), none, money(line.amount), reason.into());
            match line.kind {
                LineKind::Earned | LineKind::Adjusted => {
                    let key = [
                        proposal.partner.to_string(),
                        line.scheme.to_string(),
                        line.earning_period.to_string(),
                        period.to_string(),
                    ];
                    for row in rebates.get(&key).into_iter().flatten() {
                        self.component(line, row, shown.rebates);
                    }
                    let [partner, scheme, earning, _] = key;
                    for says in shown.ahead.get(&[partner, scheme, earning]).into_iter().flatten() {
                        let none = [const { Value::Null }; 7];
                        self.push("ahead", Some(line), none, Value::Null, says.as_str().into());
                    }
                }
                LineKind::ManualAdjustment | LineKind::Claim => {
                    let rows = match line.kind {
                        LineKind::Claim => shown.claims,
                        _ => shown.adjustments,
                    };
                    for (id, amount) in &line.parts {
                        let says = rows.iter().find(|a| a.id == *id);
                        let mut detail = [const { Value::Null }; 7];
                        detail[1] = id.as_str().into();
                        detail[5] = Value::Dec(amount.dec());
                        let says = says.map_or("no longer delivered: taken back", |a| &a.says);
                        self.push("component", Some(line), detail, Value::Null, says.into());
                    }
                }
                LineKind::HoldReleased => {}
            }
        }
        self.total("total", proposal.total, None);
        if !proposal.held.is_zero() {
            self.total("held", proposal.held, Some("on hold, in no total"));
        }
        self.total("due", proposal.due, None);
        if !proposal.carried_out.is_zero() {
            let reason = if proposal.carried_out.is_negative() {
                "negative: nothing is paid, and it is set off against what is earned next"
            } else {
                "less than the least amount that is paid"
            };
            self.total("carried_out", proposal.carried_out, Some(reason));
        }
    }

    fn component(&mut self, line: &Line, row: &crate::domain::Row, rebates: &Table) {
        let value = |column: &str| rebates.column(column).map_or(Value::Null, |i| row[i].clone());
        let detail = [
            value("domain"),
            value("component"),
            value("basis"),
            value("rate"),
            value("factor"),
            value("amount"),
            value("lines"),
        ];
        self.push("component", Some(line), detail, Value::Null, value("reason"));
    }

    fn of_reversal(&mut self, document: &Document) {
        let DocumentKind::Reversal { of } = document.kind else {
            return;
        };
        let reason = format!("all of {} is taken back", documents::name_of(of));
        self.total("total", document.total, Some(&reason));
        self.total("due", document.due, None);
        if !document.carried_out.is_zero() {
            self.total("carried_out", document.carried_out, None);
        }
    }
}
