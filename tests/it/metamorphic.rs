//! Facts changed in a way whose effect is known beforehand: other partners, amounts times 100, arrival in pieces.
//!
//! Duty: programmes of plain files with rules of their own, run twice with such a difference, and what may not differ
//! compared. Not its duty: order and cut of files (`determinism`), single figures (`rebates`, `model`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value as Json;

use crate::differential::random::Random;
use crate::support::Workspace;

const PARTNERS: usize = 12;
const LINES: usize = 600;
/// Quarters of the lines, by the month in which each begins.
const QUARTERS: [(&str, &str); 4] = [("2025", "10"), ("2026", "01"), ("2026", "04"), ("2026", "07")];

/// Bands, whole and marginal, a cap, a gate, a bonus for growth, money for each piece; thresholds in units of the
/// settlement currency times `scale`. The schemes of the sample are off.
fn rules(scale: i64) -> String {
    let of = |amount: i64| (amount * scale).to_string();
    let head = |id: &str| {
        format!(
            "[schemes.{id}]\ntitle = \"{id}\"\nearning_period = \"quarter\"\ndate = \"ordered_on\"\namount = \"net\"\n\
             paid_in_full = false\nscope = {{ line_kinds = [\"product\"] }}\nrounding = \"half_away_from_zero\"\n\
             fx_max_age_days = 400\n"
        )
    };
    let mut text = "effective_from = \"2025-10-01\"\n".to_owned();
    for off in [
        "sales-rebate",
        "certification-incentive",
        "growth-bonus",
        "market-development-fund",
    ] {
        let _ = write!(text, "[schemes.{off}]\nactive = false\n");
    }
    let bands = |first: i64, second: i64| {
        format!(
            "bands = [{{ from = \"0\", rate = \"1 %\" }}, {{ from = \"{}\", rate = \"2 %\" }}, {{ from = \"{}\", rate = \"4 %\" }}]\n",
            of(first),
            of(second)
        )
    };
    let _ = write!(
        text,
        "{}method = \"marginal\"\n{}modifiers = []\ngates = {{ minimum_sales = \"{}\" }}\n{}method = \"whole\"\n{}modifiers = [\"cap\"]\n\
         cap = \"{}\"\n{}method = \"growth\"\nmodifiers = []\n[schemes.growth.growth]\non = \"growth\"\nover = \"period_before\"\n\
         no_prior = \"nothing\"\nbands = [{{ from = \"0 %\", rate = \"1 %\" }}, {{ from = \"10 %\", rate = \"2 %\" }}]\n",
        head("slices"),
        bands(3_000_000, 9_000_000),
        of(2_000_000),
        head("steps"),
        bands(2_000_000, 8_000_000),
        of(250_000),
        head("growth"),
    );
    text
}

/// Sales by quarter. Amounts are multiples of 100,000, so that no rate leaves anything to round in any currency.
fn sales(seed: u64, scale: i64, keep: &dyn Fn(usize) -> bool) -> [String; 4] {
    let mut random = Random::new(seed);
    let mut files: [String; 4] = Default::default();
    for line in 0..LINES {
        let (partner, quarter, day) = (random.below(PARTNERS), random.below(4), random.below(28) + 1);
        let amount = i64::try_from(random.below(30) + 1).expect("small") * 100_000 * scale;
        let foreign = random.below(5) == 0;
        let returned = random.below(12) == 0;
        if !keep(partner) {
            continue;
        }
        let (year, month) = QUARTERS[quarter];
        let on = format!("{year}-{month}-{day:02}");
        let currency = if foreign {
            "USD"
        } else {
            ["EUR", "JPY", "KWD"][partner % 3]
        };
        let sign = if returned { "-" } else { "" };
        let _ = writeln!(
            files[quarter],
            "L{line:04},P{partner:02},PR-{},product,,{sign}{amount}.00,0.00,{sign}{amount}.00,{sign}{},{currency},Seller,{on},{on},",
            line % 3,
            line % 9 + 1
        );
    }
    files
}

/// A workspace of plain files with these sales, each part a file.
fn programme(scale: i64, keep: &dyn Fn(usize) -> bool) -> Workspace {
    let workspace = Workspace::sample();
    for part in ["sample_data", "pipelines/sources", "pipelines/rules"] {
        fs::remove_dir_all(workspace.path().join(part)).expect("it goes");
    }
    fs::remove_file(workspace.path().join("pipelines/readers.toml")).expect("it goes");
    let global = crate::support::workspace::repository().join("pipelines/rules/global/2025-10-01.toml");
    let global = fs::read_to_string(global).expect("the rules");
    workspace.write("pipelines/rules/global/2025-10-01.toml", &global);
    workspace.write("pipelines/rules/test/2025-10-01.toml", &rules(scale));
    let mut sources = String::new();
    for feed in ["domains", "partners", "products", "fx_rates", "sales"] {
        let _ = write!(
            sources,
            "[[source]]\nname = \"{feed}\"\nfeed = \"{feed}\"\nfiles = [\"in/{feed}-*.csv\"]\nformat = \"csv\"\n\n"
        );
    }
    workspace.write("pipelines/sources/plain.toml", &sources);
    workspace.write("in/domains-1.csv", "domain,name,member_of\nnetworking,Networking,\n");
    let mut partners =
        "partner_id,valid_from,parent_partner_id,legal_name,legal_entity,region,country,time_zone,tier,language,\
                        currency,tax_category,allowed_mail_domains,status,joined_on,left_on,merged_into\n"
            .to_owned();
    for partner in (0..PARTNERS).filter(|p| keep(*p)) {
        let currency = ["EUR", "JPY", "KWD"][partner % 3];
        let _ = writeln!(
            partners,
            "P{partner:02},2020-01-01,,Partner{partner:02} Networks,Partner{partner:02} Ltd,test,DE,Europe/Berlin,gold,en,{currency},,\
             p.example,active,2020-01-01,,"
        );
    }
    workspace.write("in/partners-1.csv", &partners);
    let mut products = "product_id,valid_from,name,family,domain,category,incentive_eligible,valid_to\n".to_owned();
    for product in 0..3 {
        let _ = writeln!(
            products,
            "PR-{product},2020-01-01,Product {product},f{product},networking,A,true,"
        );
    }
    workspace.write("in/products-1.csv", &products);
    workspace.write(
        "in/fx_rates-1.csv",
        "base,quote,date,rate,source\nUSD,EUR,2025-09-30,0.5,bank\nUSD,JPY,2025-09-30,125,bank\nUSD,KWD,2025-09-30,0.25,bank\n",
    );
    workspace
}

const SALES: &str = "order_line_id,partner_id,product_id,line_kind,service_model,list_amount,discount_rate,net_amount,quantity,\
                     currency,selling_entity,ordered_on,invoiced_on,original_order_line_id\n";

/// Runs with facts known on a day.
fn run_on(workspace: &Workspace, day: &str) {
    let job = fs::read_to_string(workspace.path().join("pipelines/daily.toml")).expect("the job");
    let at = job.find("as_of = \"").expect("a present") + 9;
    workspace.write(
        "pipelines/daily.toml",
        &format!("{}{day}{}", &job[..at], &job[at + 10..]),
    );
    let ran = workspace.run(&["run"]);
    // silent feeds are told of: there are no surveys here
    assert!(
        [0, 3].contains(&ran.code),
        "{}\n{}\n{}",
        ran.code,
        ran.stdout,
        ran.stderr
    );
}

type Sums = BTreeMap<Vec<String>, i128>;

/// Sums by all columns but the last, in millionths.
fn sums(workspace: &Workspace, sql: &str) -> Sums {
    let rows: Vec<BTreeMap<String, Json>> =
        serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows");
    let mut out = Sums::new();
    for mut row in rows {
        let amount = row
            .remove("amount")
            .and_then(|a| a.as_str().map(str::to_owned))
            .expect("an amount");
        let (whole, rest) = amount.split_once('.').unwrap_or((&amount, ""));
        let micros: i128 = format!("{whole}{rest:0<6}").parse().expect("digits");
        let key = row
            .into_values()
            .map(|v| v.as_str().unwrap_or_default().to_owned())
            .collect();
        *out.entry(key).or_insert(0) += micros;
    }
    out.retain(|_, amount| *amount != 0);
    out
}

const LEDGER: &str =
    "SELECT account, partner_id, scheme, earning_period, currency, CAST(amount AS VARCHAR) AS amount FROM ledger";
const REBATES: &str = "SELECT partner_id, scheme, earning_period, component, currency, CAST(amount AS VARCHAR) AS amount FROM \
                       rebates WHERE amount IS NOT NULL";

fn at_once(scale: i64, keep: &dyn Fn(usize) -> bool) -> Workspace {
    let workspace = programme(scale, keep);
    let all = sales(7, scale, keep).concat();
    workspace.write("in/sales-all.csv", &format!("{SALES}{all}"));
    run_on(&workspace, "2026-10-12");
    workspace
}

#[test]
fn other_partners_amounts_times_100_and_pieces_change_nothing_but_what_they_must() {
    let plain = at_once(1, &|_| true);
    let (ledger, rebates) = (sums(&plain, LEDGER), sums(&plain, REBATES));
    assert!(
        ledger.len() > 150 && rebates.len() > 200,
        "{} {}",
        ledger.len(),
        rebates.len()
    );
    for scheme in ["slices", "steps", "growth"] {
        assert!(
            ledger.keys().any(|key| key.iter().any(|part| part == scheme)),
            "{scheme} earned nothing"
        );
    }

    // without every second partner, the others have what they had
    let fewer = at_once(1, &|partner| partner % 2 == 0);
    let even = |key: &Vec<String>| {
        let partner = key
            .iter()
            .find(|part| part.len() == 3 && part.starts_with('P'))
            .expect("a partner");
        partner[1..].parse::<usize>().expect("a number") % 2 == 0
    };
    let of_even = |all: &Sums| -> Sums {
        all.iter()
            .filter(|(k, _)| even(k))
            .map(|(k, v)| (k.clone(), *v))
            .collect()
    };
    assert_eq!(sums(&fewer, LEDGER), of_even(&ledger));
    assert_eq!(sums(&fewer, REBATES), of_even(&rebates));
    assert!(of_even(&ledger).len() * 3 < ledger.len() * 2);

    // amounts and thresholds times 100: a hundred times as much of everything
    let larger = at_once(100, &|_| true);
    let hundredfold = |all: &Sums| -> Sums { all.iter().map(|(k, v)| (k.clone(), v * 100)).collect() };
    assert_eq!(sums(&larger, LEDGER), hundredfold(&ledger));
    assert_eq!(sums(&larger, REBATES), hundredfold(&rebates));

    // a quarter's sales after each quarter, and some of the first come last
    let pieces = programme(1, &|_| true);
    let mut quarters = sales(7, 1, &|_| true);
    let lines: Vec<&str> = quarters[0].lines().collect();
    let (early, late) = lines.split_at(lines.len() / 2);
    let (early, late) = (early.join("\n") + "\n", late.join("\n") + "\n");
    quarters[0] = early;
    quarters[3].push_str(&late);
    for (quarter, day) in ["2026-01-05", "2026-04-05", "2026-07-05", "2026-10-12"]
        .iter()
        .enumerate()
    {
        pieces.write(
            &format!("in/sales-{quarter}.csv"),
            &format!("{SALES}{}", quarters[quarter]),
        );
        run_on(&pieces, day);
    }
    assert_eq!(sums(&pieces, LEDGER), ledger);
    assert_eq!(sums(&pieces, REBATES), rebates);
    pieces.ok(&["verify"]);
}
