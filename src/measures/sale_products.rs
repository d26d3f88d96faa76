//! What the schemes ask of a product: the grain of the measure of sales.
//!
//! Duty: of each product as it is sold, only what some scheme decides by; the rest is blank, so that lines which every
//! scheme treats alike add up to one row. Not its duty: days (`sale_days`), facts, what a scheme earns.
//!
//! Nothing is decided here: a text is blanked only where every scope of every scheme still takes the same lines.

use std::collections::BTreeMap;

use super::calendar::{CalendarError, spans};
use crate::domain::{Date, Row, Table, TableError, Value};
use crate::rules::{Gate, GradeOf, Method, Modifier, Scheme, SchemeDate, Scope, Scoped};

/// How a line may be sold: its kind, and whose service it is.
const SOLD: [(&str, &str); 3] = [("product", ""), ("service", "vendor"), ("service", "collaborative")];

/// One scope of a scheme, and what else the scheme asks of the lines that it takes.
#[derive(Clone, Copy, Debug)]
struct Ask<'a> {
    scope: &'a Scope,
    date: SchemeDate,
    /// By the domain of the line, and by the certifications that cover it.
    by_domain: bool,
    /// By the partner's tier.
    by_tier: bool,
    by_payment: bool,
}

impl<'a> Ask<'a> {
    /// The scopes of a scheme: its own, and those of other lines that it looks at.
    fn of(scheme: &'a Scheme) -> Vec<Ask<'a>> {
        let gate = |is: fn(&Gate) -> bool| scheme.gates.iter().any(is);
        let by_grade = scheme.modifiers.iter().any(|m| {
            matches!(
                m,
                Modifier::GradeFactor {
                    of: GradeOf::Domain,
                    ..
                }
            )
        });
        let ask = |scope: &'a Scope| Ask {
            scope,
            date: scheme.date,
            by_domain: scope.asks_for_certification()
                || by_grade
                || matches!(scheme.method, Method::ByStars { .. })
                || gate(|g| matches!(g, Gate::CertifiedThroughout)),
            by_tier: !scope.tiers.is_empty(),
            by_payment: scheme.paid_in_full || gate(|g| matches!(g, Gate::Collected(_))),
        };
        let others = scheme.gates.iter().filter_map(|g| match g {
            Gate::Volume { scope, .. } => Some(&**scope),
            _ => None,
        });
        std::iter::once(&scheme.scope).chain(others).map(ask).collect()
    }
}

/// What can be asked of a line but for days and partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts<'a> {
    line_kind: &'a str,
    service_model: &'a str,
    product: &'a str,
    domain: &'a str,
    family: &'a str,
    category: &'a str,
    incentive_eligible: bool,
}

impl Facts<'_> {
    fn is_taken(&self, scope: &Scope, wider: &BTreeMap<&str, &str>) -> bool {
        let line = Scoped {
            line_kind: self.line_kind,
            service_model: self.service_model,
            product: self.product,
            family: self.family,
            category: self.category,
            incentive_eligible: self.incentive_eligible,
        };
        scope.takes(&line, |domains| is_within(self.domain, domains, wider))
    }
}

/// Whether a domain is one of these or, over others, a member of one.
fn is_within(domain: &str, domains: &[String], wider: &BTreeMap<&str, &str>) -> bool {
    let mut chain = vec![domain];
    while let Some(next) = chain.last().and_then(|d| wider.get(d))
        && !chain.contains(next)
    {
        chain.push(next);
    }
    chain.iter().any(|d| domains.iter().any(|asked| asked == d))
}

/// `calendar_sale_products`: for each version of a product and each way to sell it, what the schemes ask for. Key:
/// product_id, line_kind, sold_as (the service model as delivered), first_on.
pub fn sale_products<'a>(
    products: &Table,
    domains: &Table,
    schemes: impl IntoIterator<Item = &'a Scheme>,
) -> Result<Table, CalendarError> {
    let mut out = Table::new(
        "calendar_sale_products",
        &[
            "product_id",
            "line_kind",
            "sold_as",
            "first_on",
            "end_on",
            "service_model",
            "asked_product_id",
            "domain",
            "family",
            "category",
            "incentive_eligible",
            "by_order",
            "by_invoice",
            "by_payment",
            "by_change",
        ],
    );
    let mut wider = BTreeMap::new();
    for row in domains.iter() {
        if let Some(name) = row.opt_text("member_of")?.filter(|w| !w.is_empty()) {
            wider.insert(row.text("domain")?, name);
        }
    }
    let asks: Vec<Ask<'_>> = schemes.into_iter().flat_map(Ask::of).collect();
    for span in spans(products)? {
        let [
            Value::Text(domain),
            Value::Text(family),
            Value::Text(category),
            Value::Bool(eligible),
        ] = &span.values[..]
        else {
            return Err(CalendarError::Table(missing(span.product, &span.values)));
        };
        for (line_kind, service_model) in SOLD {
            let facts = Facts {
                line_kind,
                service_model,
                product: span.product,
                domain,
                family,
                category,
                incentive_eligible: *eligible,
            };
            let key = [span.product, line_kind, service_model];
            push(&mut out, key, (span.first_on, span.end_on), asked(facts, &asks, &wider));
        }
    }
    Ok(out)
}

fn missing(product: &str, values: &[Value]) -> TableError {
    TableError::Kind {
        table: "products".to_owned(),
        column: "domain, family, category, incentive_eligible".to_owned(),
        expected: "three texts and a boolean",
        found: format!("{product}: {values:?}"),
    }
}

/// Adds a span, or makes the one before longer where nothing that is asked for changes.
fn push(out: &mut Table, key: [&str; 3], (first_on, end_on): (Date, Date), values: Vec<Value>) {
    let head: Vec<Value> = key.iter().map(|text| (*text).into()).collect();
    let continues = |row: &&mut Row| row[..3] == head[..] && row[4] == Value::Date(first_on) && row[5..] == values[..];
    // the rows of the other ways to sell the product stand between two of its versions
    let back = out.rows.len().saturating_sub(SOLD.len());
    if let Some(before) = out.rows[back..].iter_mut().find(continues) {
        before[4] = end_on.into();
        return;
    }
    out.push(
        head.into_iter()
            .chain([first_on.into(), end_on.into()])
            .chain(values)
            .collect(),
    );
}

/// Nothing that a scope could ask for.
const BLANK: Facts<'static> = Facts {
    line_kind: "",
    service_model: "",
    product: "",
    domain: "",
    family: "",
    category: "",
    incentive_eligible: false,
};

/// The values that are asked for, the others blank, and by what else the line is decided.
fn asked(facts: Facts<'_>, asks: &[Ask<'_>], wider: &BTreeMap<&str, &str>) -> Vec<Value> {
    let takes = |facts: &Facts<'_>| -> Vec<bool> { asks.iter().map(|a| facts.is_taken(a.scope, wider)).collect() };
    let taken = takes(&facts);
    let any = |of: fn(&Ask<'_>) -> bool| asks.iter().zip(&taken).any(|(ask, taken)| *taken && of(ask));
    let by_domain = any(|a| a.by_domain);
    let mut kept = facts;
    let mut blank = |blanked: Facts<'static>, set: fn(&mut Facts<'_>, Facts<'static>)| {
        let mut less = kept;
        set(&mut less, blanked);
        if takes(&less) == taken {
            kept = less;
        }
    };
    blank(BLANK, |f, b| f.product = b.product);
    blank(BLANK, |f, b| f.family = b.family);
    blank(BLANK, |f, b| f.category = b.category);
    blank(BLANK, |f, b| f.service_model = b.service_model);
    blank(BLANK, |f, b| f.incentive_eligible = b.incentive_eligible);
    if !by_domain {
        blank(BLANK, |f, b| f.domain = b.domain);
    }
    let by_invoice = any(|a| a.date == SchemeDate::InvoicedOn);
    // a line that no scheme takes still has a period
    let by_order = any(|a| a.date == SchemeDate::OrderedOn) || !by_invoice;
    vec![
        kept.service_model.into(),
        kept.product.into(),
        kept.domain.into(),
        kept.family.into(),
        kept.category.into(),
        kept.incentive_eligible.into(),
        by_order.into(),
        by_invoice.into(),
        any(|a| a.by_payment).into(),
        (by_domain || any(|a| a.by_tier)).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;

    fn products(rows: &[(&str, &str, &str, &str, &str, bool)]) -> Table {
        let columns = [
            "product_id",
            "valid_from",
            "family",
            "domain",
            "category",
            "incentive_eligible",
            "valid_to",
        ];
        let mut table = Table::new("products", &columns);
        for (id, from, family, domain, category, eligible) in rows {
            let from = parse_date(from).unwrap();
            let row = [
                (*id).into(),
                from.into(),
                (*family).into(),
                (*domain).into(),
                (*category).into(),
            ];
            table.push(row.into_iter().chain([(*eligible).into(), Value::Null]).collect());
        }
        table
    }

    fn domains() -> Table {
        let mut table = Table::new("domains", &["domain", "member_of"]);
        table.push(vec!["security".into(), "networking".into()]);
        table.push(vec!["networking".into(), Value::Null]);
        table.push(vec!["ups".into(), Value::Null]);
        table
    }

    fn ask(scope: &Scope) -> Ask<'_> {
        Ask {
            scope,
            date: SchemeDate::OrderedOn,
            by_domain: false,
            by_tier: false,
            by_payment: false,
        }
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    /// `model product domain family category eligible` with `-` for what is blank.
    fn kept(asks: &[Ask<'_>], facts: Facts<'_>) -> String {
        let wider = BTreeMap::from([("security", "networking")]);
        let values = asked(facts, asks, &wider);
        let shown = values[..6].iter().map(|v| match v.to_string().as_str() {
            "" => "-".to_owned(),
            text => text.to_owned(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    const LINE: Facts<'static> = Facts {
        line_kind: "service",
        service_model: "vendor",
        product: "p1",
        domain: "security",
        family: "f1",
        category: "B",
        incentive_eligible: true,
    };

    #[test]
    fn what_no_scope_asks_for_is_blank() {
        let services = Scope {
            line_kinds: list(&["service"]),
            ..Scope::default()
        };
        assert_eq!(kept(&[ask(&services)], LINE), "- - - - - false");
        let narrow = Scope {
            families: list(&["f1", "f2"]),
            service_models: list(&["vendor"]),
            incentive_eligible_only: true,
            ..Scope::default()
        };
        assert_eq!(kept(&[ask(&services), ask(&narrow)], LINE), "vendor - - f1 - true");
        // out of the scope by its family: nothing else of it is asked any more
        let other = Facts { family: "f3", ..LINE };
        assert_eq!(kept(&[ask(&services), ask(&narrow)], other), "- - - - - false");
        let out = Scope {
            families_out: list(&["f1"]),
            ..Scope::default()
        };
        assert_eq!(kept(&[ask(&out)], LINE), "- - - f1 - false");
        // a product is kept where a list names it, and where it does no more than that
        let named = Scope {
            products: list(&["p1", "p2"]),
            ..Scope::default()
        };
        let unnamed = Scope {
            products_out: list(&["p3"]),
            line_kinds: list(&["service"]),
            ..Scope::default()
        };
        assert_eq!(kept(&[ask(&named), ask(&unnamed)], LINE), "- p1 - - - false");
        let third = Facts { product: "p3", ..LINE };
        assert_eq!(kept(&[ask(&named), ask(&unnamed)], third), "- p3 - - - false");
        let fourth = Facts { product: "p4", ..LINE };
        assert_eq!(kept(&[ask(&named), ask(&unnamed)], fourth), "- - - - - false");
    }

    #[test]
    fn a_domain_stays_where_a_scope_or_a_certification_asks_for_it() {
        let networking = Scope {
            domains: list(&["networking"]),
            ..Scope::default()
        };
        assert_eq!(kept(&[ask(&networking)], LINE), "- - security - - false");
        let all = Scope {
            line_kinds: list(&["service"]),
            ..Scope::default()
        };
        let by_domain = Ask {
            by_domain: true,
            ..ask(&all)
        };
        assert_eq!(kept(&[by_domain], LINE), "- - security - - false");
        // a scheme that does not take the line asks nothing of it
        let products = Facts {
            line_kind: "product",
            ..LINE
        };
        assert_eq!(kept(&[by_domain], products), "- - - - - false");
    }

    #[test]
    fn versions_that_differ_in_nothing_that_is_asked_are_one_span() {
        let table = products(&[
            ("A", "2020-01-01", "f1", "ups", "B", true),
            ("A", "2026-02-01", "f2", "ups", "B", true),
            ("A", "2026-03-01", "f2", "ups", "C", true),
        ]);
        let spans = sale_products(&table, &domains(), []).unwrap();
        assert_eq!(spans.rows.len(), SOLD.len());
        assert_eq!(spans.rows[0][4].to_string(), "9999-12-31");
        let flags: Vec<String> = spans.rows[0][11..].iter().map(ToString::to_string).collect();
        assert_eq!(flags, ["true", "false", "false", "false"]);
    }
}
