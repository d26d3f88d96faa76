//! Who prepared, approved and withdrew which settlement.
//!
//! Duty: the decisions on a posting period, and whether they let it close with a settlement of a certain hash. Not its
//! duty: computing that settlement.

use std::collections::BTreeMap;

use crate::domain::{Digest, Instant, Period, Table, TableError};

/// Decision of a person on the settlement of a period.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct Act {
    pub at: Instant,
    pub id: String,
    pub by: String,
    pub role: String,
    /// The settlement as it stood; none where the act names none.
    pub hash: Option<Digest>,
    pub kind: ActKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum ActKind {
    Prepared,
    Approved,
    Withdrawn,
}

impl ActKind {
    /// From kind and outcome of a decision.
    pub(in crate::pipeline) fn of(kind: &str, outcome: &str) -> Option<ActKind> {
        match (kind, outcome) {
            ("settle", "prepared") => Some(ActKind::Prepared),
            ("approve", "approved") => Some(ActKind::Approved),
            ("withdraw_approval", "withdrawn") => Some(ActKind::Withdrawn),
            _ => None,
        }
    }
}

/// Acts on settlements by period, in the order of time.
pub(super) fn acts(decisions: &Table) -> Result<BTreeMap<Period, Vec<Act>>, TableError> {
    let mut acts: BTreeMap<Period, Vec<Act>> = BTreeMap::new();
    for row in decisions.iter() {
        let Some(kind) = ActKind::of(row.text("kind")?, row.text("outcome")?) else {
            continue;
        };
        let Ok(period) = Period::parse(row.text("subject")?) else {
            continue;
        };
        acts.entry(period).or_default().push(Act {
            at: row.instant("decided_at")?,
            id: row.text("decision_id")?.to_owned(),
            by: row.text("by")?.to_owned(),
            role: row.text("role")?.to_owned(),
            hash: row.opt_text("subject_hash")?.and_then(Digest::parse),
            kind,
        });
    }
    for taken in acts.values_mut() {
        taken.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    }
    Ok(acts)
}

/// The two acts that let a settlement be closed: prepared, approved.
pub(in crate::pipeline) type Sanction<'a> = (&'a Act, &'a Act);

/// Whether a settlement is approved: prepared by one person, approved by another, both naming its hash, and the approval
/// not withdrawn since. Else why not, and what to do.
pub(in crate::pipeline) fn sanction<'a>(
    acts: &'a [Act],
    hash: Digest,
    role: Option<&str>,
) -> Result<Sanction<'a>, (String, String)> {
    let short = hash.short();
    let of_this = |kind: ActKind| acts.iter().filter(move |a| a.kind == kind && a.hash == Some(hash));
    let any = |kind: ActKind| acts.iter().rev().find(|a| a.kind == kind);
    let changed = |act: &Act, what: &str| {
        let was = act
            .hash
            .map_or_else(|| "no settlement at all".to_owned(), Digest::short);
        format!(
            "{} {what} {was}, and the settlement is {short} now: something has changed since",
            act.by
        )
    };
    let withdrawn = any(ActKind::Withdrawn).map(|a| a.at);
    let Some(first) = of_this(ActKind::Prepared).next() else {
        let why = any(ActKind::Prepared).map_or_else(
            || format!("nobody has prepared settlement {short}"),
            |act| changed(act, "prepared"),
        );
        return Err((
            why,
            "look at it with `starledger settle`, then prepare and approve it".to_owned(),
        ));
    };
    let approved: Vec<&Act> = of_this(ActKind::Approved).collect();
    if approved.is_empty() {
        let why = any(ActKind::Approved).map_or_else(
            || format!("nobody has approved settlement {short}"),
            |act| changed(act, "approved"),
        );
        return Err((why, "a second person approves it with `starledger approve`".to_owned()));
    }
    let stands = |act: &&Act| withdrawn.is_none_or(|at| at < act.at);
    if !approved.iter().any(stands) {
        let by = any(ActKind::Withdrawn).map_or("", |a| &a.by);
        let why = format!("the approval of settlement {short} was withdrawn by {by}");
        return Err((why, "approve it again once what was in the way is cleared".to_owned()));
    }
    // whoever prepared it at any time does not approve it
    let is_second = |act: &&Act| of_this(ActKind::Prepared).all(|p| p.by != act.by);
    if !approved.iter().any(|a| stands(a) && is_second(a)) {
        let why = format!("{} prepared settlement {short}, and cannot approve it", first.by);
        return Err((why, "another person approves it".to_owned()));
    }
    let in_role = |act: &&Act| role.is_none_or(|role| act.role == role);
    let found = approved.into_iter().find(|a| stands(a) && is_second(a) && in_role(a));
    found.map(|approved| (first, approved)).ok_or_else(|| {
        let role = role.unwrap_or_default();
        let why = format!("nobody has approved settlement {short} as {role}");
        (why, format!("approve it in the role {role}, which the rules ask for"))
    })
}
