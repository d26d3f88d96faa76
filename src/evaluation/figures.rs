//! Figures that are shown beside the metrics and never scored.
//!
//! Duty: mean rating, top box, net promoter score and response rate, as exact ratios. Not its duty: anything that a score
//! rests on.
//!
//! | figure | formula | n |
//! |---|---|---|
//! | `mean_rating` | mean of 100 · (rating − scale_min) / (scale_max − scale_min) | answers |
//! | `top_box` | answers at the top of their scale / answers | answers |
//! | `net_promoter_score` | 100 · (promoters − detractors) / answers: from nine tenths of the scale on, up to six tenths | answers |
//! | `response_rate` | answered of those sent in the period / sent | surveys sent |
//!
//! All answers of the partner count, whoever chose the customer and whosever fault it was: the figures say what was
//! answered. A figure without observations has no row.

use super::facts::{Facts, Ratings};
use super::tables::{ratio, sorted};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Period, Ratio, Table};

/// Key: `partner_id`, `domain`, `period`, `figure`.
pub const FIGURES: [&str; 6] = ["partner_id", "domain", "period", "figure", "n", "value"];

/// The figures of the periods computed.
#[must_use]
pub fn table(facts: &Facts, computed: impl Fn(Period) -> bool) -> Table {
    let mut table = Table::new("figures", &FIGURES);
    let mut push = |key: (&PartnerId, &DomainId, Period), figure: &str, n: i64, value: Option<Ratio>| {
        if value.is_some() && computed(key.2) && facts.partner_in(key.0, key.2).is_some() {
            let value = ratio(value.as_ref());
            table.push(vec![
                key.0.into(),
                key.1.into(),
                key.2.to_string().into(),
                figure.into(),
                n.into(),
                value,
            ]);
        }
    };
    for (partner, domain, period, rows) in facts.ratings.iter() {
        let key = (partner, domain, period);
        let sum = |of: fn(&Ratings) -> i64| rows.iter().map(of).fold(0i64, i64::saturating_add);
        let n = sum(|row| row.answers);
        let total = Ratio::sum(&rows.iter().map(points).collect::<Vec<_>>());
        let balance = sum(|row| row.promoters).saturating_sub(sum(|row| row.detractors));
        push(key, "mean_rating", n, total.checked_div(&Ratio::int(n)));
        push(key, "top_box", n, Ratio::new(sum(|row| row.top), n));
        push(
            key,
            "net_promoter_score",
            n,
            Ratio::new(balance, n).map(|share| &share * &Ratio::int(100)),
        );
    }
    for (partner, domain, period, responses) in facts.responses.iter() {
        let key = (partner, domain, period);
        push(
            key,
            "response_rate",
            responses.sent,
            Ratio::new(responses.answered, responses.sent),
        );
    }
    sorted(table, 4)
}

/// Sum of the ratings of one scale, each as 0…100. That the scale has a width was seen when it was read.
fn points(row: &Ratings) -> Ratio {
    let (low, high) = (row.scale_min.ratio(), row.scale_max.ratio());
    let above = &row.rating_sum.ratio() - &(&low * &Ratio::int(row.answers));
    let share = above.checked_div(&(&high - &low)).unwrap_or_else(Ratio::zero);
    &share * &Ratio::int(100)
}
