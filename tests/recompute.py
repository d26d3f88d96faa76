"""Recomputes every ratio and score of a release from its measures and the rules, with `fractions` and nothing of the
program: `recompute.py WORKSPACE STARLEDGER`.

Read are the measure tables, the feeds that the star criteria count, key_event_points for the points of events, and the
rules as the program resolves them. Everything else (customer cap, shrinkage, peers, intervals, knots, coverage,
effective weights, points, finals, grades, cards, quartiles) is computed here and compared with what was published, to
the last digit.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction as F
from math import isqrt

import duckdb

workspace, program = sys.argv[1], sys.argv[2]
current = workspace + "/warehouse/current"
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")


def rows(table):
    """Rows of a table of the release, as dictionaries."""
    found = con.execute(f"SELECT * FROM read_parquet('{current}/{table}/**/*.parquet', hive_partitioning = false)")
    names = [d[0] for d in found.description]
    return [dict(zip(names, row)) for row in found.fetchall()]


def rounded(x, places):
    """Half away from zero, in units of the last place."""
    scaled = abs(x) * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return F(units if x >= 0 else -units, 10**places)


def isqrt_root(x, places):
    """The square root, half away from zero."""
    return F((isqrt(int(x * 10 ** (2 * places + 2))) + 5) // 10, 10**places)


# ---------------------------------------------------------------------------------------------------------- periods, rules


MONTHS = {"M": 1, "Q": 3, "H": 6, "F": 12}


def split(period):
    """Fiscal year, place in it from 0, months: of 2026-M07, 2026-Q3, 2026-H2 or 2026-FY."""
    length = MONTHS[period[5]]
    return int(period[:4]), 0 if length == 12 else int(period[6:]) - 1, length


def start_month():
    """The month in which fiscal years begin, from a period and its first day."""
    seen = rows("calendar_partner_periods")[0]
    _, index, length = split(seen["period"])
    return (seen["first_on"].month - 1 - index * length) % 12 + 1


FISCAL = start_month()


def bounds(period):
    """First and last day; a fiscal year has the name of the year in which it ends."""
    year, index, length = split(period)
    first = (year - (FISCAL > 1)) * 12 + FISCAL - 1 + index * length
    day = lambda month: date(month // 12, month % 12 + 1, 1)
    return day(first), day(first + length) - timedelta(days=1)


def back(period, n):
    year, index, length = split(period)
    a_year = 12 // length
    place = year * a_year + index - n
    index = place % a_year
    name = {1: f"M{index + 1:02d}", 3: f"Q{index + 1}", 6: f"H{index + 1}", 12: "FY"}[length]
    return f"{place // a_year}-{name}"


books = {}


def book(region, period):
    """The resolved rules as path → text."""
    key = (region, period)
    if key not in books:
        out = subprocess.run(
            [program, "--workspace", workspace, "--json", "show", "rules", "--region", region, "--on", str(bounds(period)[0])],
            check=True,
            capture_output=True,
            text=True,
        )
        books[key] = {row["key"]: row["value"] for row in json.loads(out.stdout)}
    return books[key]


def number(rules, path):
    return F(rules[path])


def knots(rules, section):
    found = sorted(
        ((int(k[len(section) + 7 : -1]), v) for k, v in rules.items() if k.startswith(section + ".knots[")), key=lambda kv: kv[0]
    )
    return [tuple(F(x) for x in v.split(" → ")) for _, v in found]


def on_knots(points, x):
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x <= x1:
            return y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    return points[-1][1]


# ------------------------------------------------------------------------------------------------------------------- facts

region_of = {(r["partner_id"], r["period"]): r["region"] for r in rows("calendar_partner_periods")}
fact = {name: defaultdict(list) for name in ("satisfaction", "quality", "parts", "critical", "deliveries", "service_level")}
for name, table in fact.items():
    for r in rows("measures_" + name):
        table[r["partner_id"], r["domain"], r["period"]].append(r)
members = defaultdict(set)
for r in rows("domains"):
    if r["member_of"]:
        members[r["member_of"]].add(r["domain"])
events = defaultdict(list)
for r in rows("key_event_points"):
    if r["status"] == "counted" and r["period"]:
        events[r["partner_id"], r["domain"], r["period"]].append(F(r["points"]))
published = {(r["partner_id"], r["domain"], r["period"], r["metric"]): r for r in rows("metrics")}
scores = {(r["partner_id"], r["domain"], r["period"]): r for r in rows("scores")}
cards = {(r["partner_id"], r["period"]): r for r in rows("partner_scores")}
compared = 0


def same(where, column, found, expected, places):
    """A published number against the exact one."""
    global compared
    compared += 1
    found = None if found is None else F(found)
    expected = None if expected is None else rounded(expected, places)
    assert found == expected, (where, column, found, expected)


# ------------------------------------------------------------------------------------------------------------ satisfaction


def answers(rules, r):
    """n, Σw, Σw·satisfied, Σw² of a row."""
    weight = number(rules, "satisfaction.class_weights." + r["customer_class"])
    if r["selected_by"] == "partner_nominated" or weight <= 0:
        return (0, F(0), F(0), F(0))
    return (
        r["answers"],
        weight * F(r["share_sum"]),
        weight * F(r["satisfied_share_sum"]),
        weight * weight * F(r["share_square_sum"]),
    )


def inspected(rules, r):
    weight = number(rules, "quality.selection_weights." + r["selected_by"])
    n = r["inspections"]
    if r["scored"]:
        total = 100 * F(r["score_sum"]) / F(r["score_max"])
    else:
        off = sum(r[kind] * number(rules, f"quality.{kind}_points") for kind in ("critical", "major", "minor"))
        total = max(F(0), 100 - off) * n
    count = n if weight > 0 else 0
    return (count, weight * count, weight * total if count else F(0), weight * weight * count)


def add(rows_of):
    total = (0, F(0), F(0), F(0))
    for row in rows_of:
        total = tuple(a + b for a, b in zip(total, row))
    return total


pools = {}


def pool(name, weigh, region, period):
    """Sums of the window by partner and by partner and domain, of partners that had the region when the fact was."""
    key = (name, region, period)
    if key not in pools:
        rules = book(region, period)
        window = {back(period, n) for n in range(int(rules[name + ".look_back_periods"]))}
        by = defaultdict(lambda: (0, F(0), F(0), F(0)))
        for (partner, domain, q), found in fact[name].items():
            if q in window and region_of.get((partner, q)) == region:
                sums = add(weigh(rules, r) for r in found)
                by[partner, domain] = tuple(a + b for a, b in zip(by[partner, domain], sums))
        whole = add(by.values())
        pools[key] = (by, whole)
    return pools[key]


def peers(name, weigh, rules, partner, domain, region, period, minimum, default):
    by, _ = pool(name, weigh, region, period)
    of_domain = add(v for (p, d), v in by.items() if p != partner and d == domain)
    of_region = add(v for (p, d), v in by.items() if p != partner)
    for sums, basis in ((of_domain, "domain"), (of_region, "region")):
        if sums[0] >= minimum and sums[1]:
            return sums[2] / sums[1], basis
    return default, "default"


def held(weights, cap):
    """The cap: the smallest set of the largest, each at w = cap·T, none outside above w."""
    order = sorted(range(len(weights)), key=lambda i: -weights[i])
    for size in range(len(weights)):
        left = 1 - cap * size
        rest = sum(weights[i] for i in order[size:])
        if left <= 0:
            break
        limit = cap * rest / left
        if all(weights[i] <= limit for i in order[size:]):
            if size and not rest:
                # all weight lies with those that are held: the others share what is left equally
                return [cap if i in order[:size] else left / (len(weights) - size) for i in range(len(weights))]
            return [limit if i in order[:size] else w for i, w in enumerate(weights)]
    return [F(1)] * len(weights)


def wilson(p, n):
    z = F("1.959964")
    z2n = z * z / n
    centre = p + z2n / 2
    spread = z * isqrt_root(p * (1 - p) / n + z2n / (4 * n), 30)
    return tuple(rounded((centre + sign * spread) / (1 + z2n), 12) for sign in (-1, 1))


def satisfaction(rules, partner, domain, region, period):
    customers = defaultdict(lambda: (0, F(0), F(0), F(0)))
    for r in fact["satisfaction"][partner, domain, period]:
        sums = answers(rules, r)
        customers[r["customer_id"]] = tuple(a + b for a, b in zip(customers[r["customer_id"]], sums))
    parts = [customers[c] for c in sorted(customers) if customers[c][1] > 0]
    if len(parts) >= int(rules["satisfaction.customer_cap_from_customers"]):
        weights = held([p[1] for p in parts], number(rules, "satisfaction.customer_cap"))
        factors = [w / p[1] for w, p in zip(weights, parts)]
        parts = [(p[0], p[1] * f, p[2] * f, p[3] * f * f) for p, f in zip(parts, factors)]
    n, weight, good, squares = add(parts)
    value, basis = peers(
        "satisfaction", answers, rules, partner, domain, region, period,
        int(rules["satisfaction.peer_minimum_answers"]), number(rules, "satisfaction.peer_default"),
    )
    out = {"n": n, "peer_value": value, "peer_basis": basis, "raw": None, "n_eff": None, "adjusted": None, "normalised": None}
    out["interval_low"] = out["interval_high"] = None
    if weight:
        p, n_eff = good / weight, weight * weight / squares
        out.update(raw=p, n_eff=n_eff)
        out["interval_low"], out["interval_high"] = wilson(p, n_eff)
        if n >= int(rules["satisfaction.insufficient_below_answers"]):
            m = number(rules, "satisfaction.shrinkage")
            out["adjusted"] = (n_eff * p + m * value) / (n_eff + m)
            out["normalised"] = on_knots(knots(rules, "satisfaction"), out["adjusted"])
    return out


def quality(rules, partner, domain, region, period):
    own = add(inspected(rules, r) for r in fact["quality"][partner, domain, period])
    least = int(rules["quality.insufficient_below_inspections"])
    if own[0] < least:
        window = [back(period, n) for n in range(int(rules["quality.look_back_periods"]))]
        own = add(inspected(rules, r) for q in window for r in fact["quality"][partner, domain, q])
    n, weight, total, squares = own
    value, basis = peers(
        "quality", inspected, rules, partner, domain, region, period,
        int(rules["quality.peer_minimum_inspections"]), number(rules, "quality.peer_default"),
    )
    out = {"n": n, "peer_value": value, "peer_basis": basis, "raw": None, "n_eff": None, "adjusted": None, "normalised": None}
    if weight:
        mean, n_eff = total / weight, weight * weight / squares
        out.update(raw=mean, n_eff=n_eff)
        if n >= least:
            m = number(rules, "quality.shrinkage")
            out["adjusted"] = (n_eff * mean + m * value) / (n_eff + m)
            out["normalised"] = on_knots(knots(rules, "quality"), out["adjusted"])
            if sum(r["open_critical"] for r in fact["critical"][partner, domain, period]):
                out["normalised"] = min(out["normalised"], number(rules, "quality.critical_cap"))
    return out


def parts(rules, partner, domain, _region, period):
    found = fact["parts"][partner, domain, period]
    due, opening, overdue, long = (
        sum(r[c] for r in found) for c in ("due_quantity", "opening_quantity", "overdue_quantity", "long_overdue_quantity")
    )
    out = {"n": due + opening, "raw": None, "adjusted": None, "normalised": None}
    if due + opening:
        out["raw"] = 1 - F(overdue, due + opening)
        if rules["parts.mode"] == "rate":
            out["adjusted"] = out["raw"]
            off = min(number(rules, "parts.long_overdue_points") * long, number(rules, "parts.long_overdue_points_cap"))
            out["normalised"] = max(F(0), on_knots(knots(rules, "parts"), out["raw"]) - off)
        else:
            out["normalised"] = max(F(0), 100 - number(rules, "parts.count_points_each") * overdue)
    return out


def service_level(rules, partner, domain, _region, period):
    found = fact["service_level"][partner, domain, period]
    due, on_time = (sum(r[c] for r in found) for c in ("due", "on_time"))
    out = {"n": due, "raw": None, "adjusted": None, "normalised": None}
    if due:
        out["raw"] = F(on_time, due)
        if due >= int(rules["service_level.insufficient_below_deliveries"]):
            out["adjusted"] = out["raw"]
            out["normalised"] = on_knots(knots(rules, "service_level"), out["raw"])
    return out


# -------------------------------------------------------------------------------------------------------------- enablement

held_certificates, trainings, certified = defaultdict(list), defaultdict(list), defaultdict(list)
for r in rows("engineers"):
    held_certificates[r["partner_id"]].append(r)
for r in rows("enablement"):
    trainings[r["partner_id"]].append(r)
for r in rows("effective_certifications"):
    certified[r["partner_id"]].append(r)
LEVELS = ["associate", "professional", "expert"]


def stars_of(partner, domain, on):
    def of(name):
        versions = [c for c in certified[partner] if c["domain"] == name and c["valid_from"] <= on < c["valid_to"]]
        if versions:
            latest = max(versions, key=lambda c: c["valid_from"])
            if latest["status"] in ("active", "expired"):
                return latest["stars"]
        return None

    own = of(domain)
    spanning = [of(whole) for whole, of_it in members.items() if domain in of_it]
    return own if own is not None else max((s for s in spanning if s is not None), default=None)


def enablement(rules, partner, domain, _region, period):
    on = bounds(period)[1]
    stars = stars_of(partner, domain, on)
    out = {"n": 0, "raw": None, "adjusted": None, "normalised": None}
    if stars is None:
        return out

    def serves(of):
        return of == domain or domain in members[of] or of in members[domain]

    until = on + timedelta(days=int(rules["star_criteria.certificate_outlasts_days"]))
    since = on - timedelta(days=int(rules["star_criteria.training_days"]))
    good = [
        c for c in held_certificates[partner]
        if serves(c["domain"]) and c["issued_on"] <= on and not (c["revoked_on"] and c["revoked_on"] <= on)
        and (c["expires_on"] is None or c["expires_on"] > until)
    ]
    senior = LEVELS.index(rules["star_criteria.senior_level"])
    took = [t for t in trainings[partner] if since < t["completed_on"] <= on and (t["domain"] is None or serves(t["domain"]))]
    found = {
        "engineers": len({c["engineer_id"] for c in good if c["role"] == "engineer"}),
        "senior_engineers": len({c["engineer_id"] for c in good if c["role"] == "engineer" and LEVELS.index(c["level"]) >= senior}),
        "project_managers": len({c["engineer_id"] for c in good if c["role"] == "project_manager"}),
        "trainings": len({t["event_id"] for t in took}),
        "credits": sum((F(t["credits"]) for t in took), F(0)),
    }
    needed = {name: number(rules, f"star_criteria.{stars}.{name}") for name in found}
    asked = [name for name in found if needed[name] > 0]
    if asked:
        met = sum(found[name] >= needed[name] for name in asked)
        out.update(n=len(asked), raw=F(met, len(asked)))
        out["adjusted"] = out["raw"]
        out["normalised"] = on_knots(knots(rules, "enablement"), out["raw"])
    return out


METRICS = {
    "satisfaction": satisfaction, "quality": quality, "parts": parts, "service_level": service_level, "enablement": enablement,
}
PLACES = {"n_eff": 12, "raw": 12, "interval_low": 12, "interval_high": 12, "peer_value": 12, "adjusted": 12, "normalised": 12}



def own_metrics(rules):
    """Names of the programme's own metrics."""
    return sorted(path.split(".")[1] for path in rules if path.startswith("metrics.") and path.endswith(".weight"))


def path(name):
    return name if name in METRICS else "metrics." + name


measured = {}


def own(rules, name, partner, domain, period):
    """A share of two sums on knots; of another formula or map nothing is known here, and what was published is taken."""
    at = path(name) + "."
    shape = re.fullmatch(r"sum\((\w+)\) / sum\((\w+)\)", rules[at + "formula"])
    observed = re.fullmatch(r"sum\((\w+)\)", rules[at + "observations"])
    if not shape or not observed or at + "knots[0]" not in rules or at + "decimals" in rules:
        return None
    measure = rules[at + "measure"]
    if measure not in measured:
        measured[measure] = defaultdict(list)
        for r in rows("measures_" + measure):
            measured[measure][r["partner_id"], r["domain"], r["period"]].append(r)
    found = measured[measure][partner, domain, period]
    sums = [sum(r[column] for r in found) for column in (*shape.groups(), observed[1])]
    raw = F(sums[0], sums[1]) if found and sums[1] else None
    counts = raw is not None and sums[2] >= int(rules[at + "insufficient_below"])
    out = {"n": int(sums[2]), "raw": raw, "adjusted": None, "normalised": None}
    if counts:
        out.update(adjusted=raw, normalised=on_knots(knots(rules, path(name)), raw))
    return out


# --------------------------------------------------------------------------------------------------------------- composite


def largest_remainder(exact, places=2):
    """Units that add up to the rounded sum: cut towards zero, the rest to the largest remainders, in order."""
    units = [x * 10**places for x in exact]
    total = int(rounded(sum(units, F(0)), 0))
    cut = [int(x) for x in units]
    left = total - sum(cut)
    order = sorted(range(len(units)), key=lambda i: (-abs(units[i] - cut[i]), i))
    for i in range(abs(left)):
        cut[order[i % len(order)]] += 1 if left > 0 else -1
    return [F(c, 10**places) for c in cut]


def event_total(rules, partner, domain, period):
    found = events[partner, domain, period]
    plus = min(sum((p for p in found if p > 0), F(0)), number(rules, "key_events.positive_cap"))
    minus = max(sum((p for p in found if p < 0), F(0)), -number(rules, "key_events.negative_cap"))
    return plus + minus


def grade(rules, score):
    return next(g for g in "ABCDE" if score >= number(rules, "grades." + g))


exact_finals, finals, groups = defaultdict(dict), {}, defaultdict(list)
for (partner, domain, period), score in sorted(scores.items()):
    region = region_of[partner, period]
    rules = book(region, period)
    found = {}
    names = [*METRICS, *own_metrics(rules)]
    for name in names:
        if path(name) + ".weight" not in rules:
            continue
        where = (partner, domain, period, name)
        row = published[where]
        if row["state"] == "incomplete":
            continue
        if name in METRICS:
            value = METRICS[name](rules, partner, domain, region, period)
        else:
            value = own(rules, name, partner, domain, period) or {"normalised": row["normalised"] and F(row["normalised"])}
        for column, expected in value.items():
            if column == "n":
                assert row["n"] == expected, (where, row["n"], expected)
            elif column == "peer_basis":
                assert row[column] == expected, (where, row[column], expected)
            else:
                same(where, column, row[column], expected, PLACES[column])
        if value["normalised"] is not None:
            found[name] = value["normalised"]
            groups[period, region, score["rules_hash"], domain, name].append(value["normalised"])
    weight = {name: number(rules, path(name) + ".weight") for name in names if path(name) + ".weight" in rules}
    counting = [name for name in found if weight[name] > 0]
    coverage = sum((weight[name] for name in counting), F(0))
    same((partner, domain, period), "coverage", score["coverage"], coverage, 2)
    required = [name.strip() for name in rules["evaluation.requires_one_of"].split(",")]
    rated = (
        coverage >= number(rules, "evaluation.minimum_coverage")
        and len(counting) >= int(rules["evaluation.minimum_metrics"])
        and any(name in required for name in counting)
    )
    assert rated == (score["state"] != "not_rated"), (partner, domain, period, score["state"])
    effective = {name: weight[name] if rated and name in counting else F(0) for name in weight}
    if rated:
        pooled = F(0)
        for name in [n for n in weight if n not in counting]:
            left = weight[name]
            for to in counting:
                share = rules.get(f"evaluation.redistribution.{name}.{to}")
                if share:
                    effective[to] += weight[name] * F(share)
                    left -= weight[name] * F(share)
            pooled += left
        for name in counting:
            effective[name] += pooled * weight[name] / coverage
    points = {name: effective[name] * found.get(name, F(0)) / 100 for name in weight}
    names = list(weight)
    for name, w, p in zip(names, largest_remainder([effective[n] for n in names]), largest_remainder([points[n] for n in names])):
        row = published[partner, domain, period, name]
        same((partner, domain, period, name), "effective_weight", row["effective_weight"], w, 2)
        same((partner, domain, period, name), "points", row["points"], p, 2)
    happened = event_total(rules, partner, domain, period)
    if rated:
        base = sum(points.values(), F(0))
        exact = min(F(100), max(F(0), base + happened))
        final = rounded(exact, 2)
        same((partner, domain, period), "base", score["base"], base, 2)
        same((partner, domain, period), "final", score["final"], final, 2)
        assert score["score_grade"] == grade(rules, final), (partner, domain, period)
        exact_finals[partner, period][domain] = exact
        finals[partner, domain, period] = final
        groups[period, region, score["rules_hash"], domain, "final"].append(final)
    else:
        assert score["final"] is None and score["score_grade"] is None
    earlier = finals.get((partner, domain, back(period, 1)))
    change = None if earlier is None or not rated else finals[partner, domain, period] - earlier
    same((partner, domain, period), "change", score["change"], change, 2)

for (partner, period), card in sorted(cards.items()):
    region = region_of[partner, period]
    rules = book(region, period)
    exact = exact_finals[partner, period]
    domains = sorted(exact)
    done = {d: sum(r["completed"] for r in fact["deliveries"][partner, d, period]) for d in domains}
    weights = [F(done[d]) if any(done.values()) else F(1) for d in domains]
    if len(domains) >= int(rules["card.domain_cap_from_domains"]):
        weights = held(weights, number(rules, "card.domain_cap"))
    if domains:
        base = sum((w * exact[d] for w, d in zip(weights, domains)), F(0)) / sum(weights)
        final = rounded(min(F(100), max(F(0), base + event_total(rules, partner, None, period))), 2)
        same((partner, period), "card base", card["base"], base, 2)
        same((partner, period), "card final", card["final"], final, 2)
        assert card["score_grade"] == grade(rules, final), (partner, period)
        finals[partner, "*", period] = final
        groups[period, region, card["rules_hash"], "*", "final"].append(final)
        for w, d in zip(weights, domains):
            same((partner, d, period), "card_share", scores[partner, d, period]["card_share"], w / sum(weights), 12)
    else:
        assert card["final"] is None
    earlier = finals.get((partner, "*", back(period, 1)))
    change = None if earlier is None or not domains else finals[partner, "*", period] - earlier
    same((partner, period), "card change", card["change"], change, 2)

# ------------------------------------------------------------------------------------------------------ changes, quartiles

parts_of = defaultdict(lambda: F(0))
for r in rows("score_changes"):
    parts_of[r["partner_id"], r["domain"], r["period"]] += F(r["points"])
for (partner, domain, period), score in scores.items():
    same((partner, domain, period), "parts of the change", score["change"] or 0, parts_of[partner, domain, period], 2)
for (partner, period), card in cards.items():
    same((partner, period), "parts of the card's change", card["change"] or 0, parts_of[partner, "*", period], 2)

for r in rows("peer_figures"):
    key = (r["period"], r["region"], r["rules_hash"], r["domain"], r["figure"])
    values = sorted(groups.get(key, []))
    assert r["partners"] == len(values), (key, r["partners"], len(values))
    for quarters, column in ((1, "lower_quartile"), (2, "median"), (3, "upper_quartile")):
        expected = None
        if len(values) >= 8:
            place = F((len(values) - 1) * quarters, 4)
            low = int(place)
            high = values[min(low + 1, len(values) - 1)]
            expected = values[low] + (place - low) * (high - values[low])
        same(key, column, r[column], expected, 12)

print(f"{len(scores)} scores, {len(cards)} cards, {compared} numbers equal")
