//! The money of a frame as strings.
//!
//! Duty: schemes, their parts and the accounts in words and figures. Not its duty: adding anything up.

use std::cmp::Ordering;

use serde::Serialize;

use crate::domain::{Money, Period};

use super::money::{Account, AsideLines, MoneyFrame, SchemeLine, SchemePart};
use super::texts::Texts;

#[derive(Debug, Serialize)]
pub(super) struct MoneyView {
    pub schemes: Vec<SchemeView>,
    pub accounts: Vec<AccountView>,
    /// Amounts booked in the period, one per currency.
    pub earned_now: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct SchemeView {
    pub title: String,
    /// Label and amount.
    pub figures: Vec<(String, String)>,
    pub parts: Vec<PartView>,
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct PartView {
    pub text: String,
    /// Empty where nothing was added.
    pub amount: String,
}

#[derive(Debug, Serialize)]
pub(super) struct AccountView {
    pub title: String,
    /// Label and amount, in the order in which they add up.
    pub figures: Vec<(String, String)>,
}

impl MoneyView {
    pub(super) fn of(money: &MoneyFrame, period: Period, texts: &Texts) -> MoneyView {
        let moved = money.accounts.iter().filter(|a| !a.earned.is_zero());
        MoneyView {
            schemes: money.schemes.iter().map(|s| scheme_view(s, period, texts)).collect(),
            accounts: money.accounts.iter().map(|a| account_view(a, texts)).collect(),
            earned_now: moved.map(|a| texts.money(a.earned)).collect(),
        }
    }
}

fn scheme_view(line: &SchemeLine, period: Period, texts: &Texts) -> SchemeView {
    let label = |key: &str| texts.get("money", key).to_owned();
    // an earlier earning period has no rows here: only what late data moved is known, and shown
    let late = line.parts.is_empty() && line.earned.is_zero() && line.earning_period.place(period) == Ordering::Less;
    let mut figures = Vec::new();
    if !late {
        figures.push((label("basis"), texts.money(line.basis)));
        figures.push((label("earned"), texts.money(line.earned)));
    }
    figures.push((label("booked"), texts.money(line.booked_now)));
    let mut notes = Vec::new();
    if late {
        notes.push(texts.fill("money", "late", &[("period", &line.earning_period.to_string())]));
    } else {
        notes.push(texts.counted("money", "lines", "lines", line.lines));
    }
    if let Some(next) = &line.next_band {
        let arguments = [("missing", texts.money(next.missing)), ("rate", texts.rate(&next.rate))];
        notes.push(texts.fill(
            "money",
            "next_band",
            &arguments.each_ref().map(|(n, v)| (*n, v.as_str())),
        ));
    }
    if let Some((grade, more)) = line.next_grade {
        let arguments = [("grade", grade.as_str()), ("amount", &texts.money(more))];
        notes.push(texts.fill("money", "next_grade", &arguments));
    }
    if !line.parts.is_empty() {
        notes.push(label("rounded"));
    }
    // a rounding that cannot be seen at the decimals of the currency says nothing
    let parts = line
        .parts
        .iter()
        .filter(|p| p.component != "rounding" || !p.amount.is_zero());
    SchemeView {
        title: format!(
            "{} · {}",
            texts.named("scheme", &line.scheme, &line.title),
            line.earning_period
        ),
        figures,
        parts: parts
            .map(|p| part_view(p, texts))
            .chain(line.aside.iter().map(|a| aside_view(a, texts)))
            .collect(),
        notes,
    }
}

fn part_view(part: &SchemePart, texts: &Texts) -> PartView {
    let mut words = vec![component(&part.component, texts)];
    words.extend(part.domain.clone());
    if !part.basis.is_zero() && part.component != "rounding" {
        words.push(texts.money(part.basis));
    }
    if let Some(rate) = part.rate {
        let rate = texts.rate(&rate.ratio());
        words.push(texts.fill("money", "rate", &[("rate", &rate)]));
    }
    if let Some(factor) = part.factor {
        words.push(texts.fill("money", "factor", &[("factor", &texts.short(&factor.ratio()))]));
    }
    words.extend(part.reason.as_deref().map(|r| texts.reason(r)));
    PartView {
        text: words.join(" · "),
        amount: texts.money(part.amount),
    }
}

fn aside_view(aside: &AsideLines, texts: &Texts) -> PartView {
    let mut words = vec![component(&aside.why, texts)];
    words.push(texts.counted("money", "lines", "lines", aside.lines));
    // what a word of the catalogue says already needs no reason; a missing exchange rate has its days
    words.extend(
        aside
            .reason
            .as_deref()
            .filter(|_| aside.why == "waiting")
            .map(|r| texts.reason(r)),
    );
    words.push(texts.amount(&aside.currency, aside.amount));
    // it adds nothing, so that it stands in no column of amounts
    PartView {
        text: words.join(" · "),
        amount: String::new(),
    }
}

/// A component in words: by its whole name, or by what stands before the colon.
pub(super) fn component(name: &str, texts: &Texts) -> String {
    let known = |key: &str| texts.sections().get("component").is_some_and(|s| s.contains_key(key));
    let (kind, n) = name.split_once(':').unwrap_or((name, ""));
    match (known(name), name.rsplit_once(':'), known(kind)) {
        (true, ..) => texts.fill("component", name, &[]),
        // the second cap of a scheme is "modifier:cap:2"
        (_, Some((first, nth)), _) if known(first) && first != kind => {
            format!("{} {nth}", texts.get("component", first))
        }
        (.., true) => texts.fill("component", kind, &[("n", n)]),
        // the id of a claim or an adjustment
        _ if name.contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()) => name.to_owned(),
        _ => texts.word("component", name),
    }
}

fn account_view(account: &Account, texts: &Texts) -> AccountView {
    let row = |key: &str, amount: Money| (texts.get("money", key).to_owned(), texts.money(amount));
    let mut figures = vec![
        row("opening", account.opening),
        row("account_earned", account.earned),
        row("paid", account.paid),
        row("closing", account.closing),
    ];
    if !account.on_hold.is_zero() {
        figures.push(row("on_hold", account.on_hold));
    }
    if !account.in_funds.is_zero() {
        figures.push(row("in_funds", account.in_funds));
    }
    let title = texts.fill("money", "account", &[("currency", account.currency.code())]);
    AccountView { title, figures }
}
