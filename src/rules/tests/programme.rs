//! Red lines, authorisation, review and entitlements: each wrong line is told.

use super::*;

#[test]
fn bad_values_of_red_lines_checks_reviews_and_entitlements() {
    let cases = [
        (
            "black = [{ L1 = 1 }, { L2 = 3 }]",
            "black = [{ L1 = 0 }]",
            "[red_lines.black[0].L1]: 0 is out of range",
        ),
        (
            "black = [{ L1 = 1 }, { L2 = 3 }]",
            "black = [{}]",
            "[red_lines.black[0]]: a combination without an event would hold always",
        ),
        (
            "black = [{ L1 = 1 }, { L2 = 3 }]",
            "black = [{ L4 = 1 }]",
            "[red_lines.black[0].L4]: unknown key `L4`",
        ),
        (
            "missing_first_node = { level = \"minor\", red_line = \"none\" }",
            "missing_first_node = { level = \"small\", red_line = \"none\" }",
            "[authorisation.missing_first_node.level]",
        ),
        (
            "held_in_months = [1]",
            "held_in_months = [2]",
            "[review.held_in_months[0]]: no evaluation period begins in month 2",
        ),
        (
            "held_in_months = [1]",
            "held_in_months = [1, 1]",
            "[review.held_in_months[1]]: month 1 stands twice",
        ),
        (
            "score_minimum_periods = 3",
            "score_minimum_periods = 5",
            "[review.score_minimum_periods]: 5 periods must be rated, but only 4 are looked at",
        ),
        (
            "probation_below = \"70\"",
            "probation_below = \"90\"",
            "[review.probation_below]: the thresholds do not rise",
        ),
        (
            "plan_due_days = 15",
            "plan_due_days = 91",
            "[review.plan_due_days]: the plan is due after 91 days",
        ),
        (
            "probation_days = 90",
            "probation_days = 90\n[entitlements.first]\nof = \"support\"\ntypes = [\"career\"]\nby_stars = { 0 = 0, 3 = 1, 4 = 1, 5 = 1 }",
            "[entitlements.first.types[0]]",
        ),
        (
            "probation_days = 90",
            "probation_days = 90\n[entitlements.first]\nof = \"support\"\ntypes = [\"first_node\"]\nby_stars = { 3 = 1, 4 = 1, 5 = 1 }",
            "[entitlements.first.by_stars.0]: the mandatory key `0` is missing",
        ),
    ];
    for (from, to, told) in cases {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replace(from, to);
        let findings = read(&[("global/2026-01-01.toml", &text), ("emea/2026-01-01.toml", REGION)]).unwrap_err();
        assert!(findings.contains(told), "{to}: {findings}");
    }
}
