-- Engineering quality inspections.
-- Grain: partner x domain x period x how it was selected x scored or not x score_max (0 when not scored) x counts of
-- findings (0 when scored): fine enough for the rules to divide. Period: inspected_on. Only collaborative deliveries.
WITH inspected AS (
  SELECT
    d.partner_id AS partner_id,
    p.domain AS domain,
    c.period AS period,
    i.selected_by AS selected_by,
    CASE WHEN i.score IS NULL THEN FALSE ELSE TRUE END AS scored,
    CASE WHEN i.score IS NULL THEN CAST(0 AS DECIMAL(38, 4)) ELSE CAST(i.score_max AS DECIMAL(38, 4)) END AS score_max,
    CASE WHEN i.score IS NULL THEN i.critical ELSE CAST(0 AS BIGINT) END AS critical,
    CASE WHEN i.score IS NULL THEN i.major ELSE CAST(0 AS BIGINT) END AS major,
    CASE WHEN i.score IS NULL THEN i.minor ELSE CAST(0 AS BIGINT) END AS minor,
    CASE WHEN i.score IS NULL THEN CAST(0 AS DECIMAL(38, 4)) ELSE CAST(i.score AS DECIMAL(38, 4)) END AS score
  FROM inspections AS i
  JOIN deliveries AS d ON i.delivery_id = d.delivery_id
  JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
  JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
  WHERE d.service_model = 'collaborative'
    AND i.inspected_on >= c.first_on AND i.inspected_on < c.end_on
    AND COALESCE(d.completed_at, d.opened_at) >= p.starts_at AND COALESCE(d.completed_at, d.opened_at) < p.ends_at
)
SELECT
  partner_id,
  domain,
  period,
  selected_by,
  scored,
  score_max,
  critical,
  major,
  minor,
  CAST(COUNT(*) AS BIGINT) AS inspections,
  SUM(score) AS score_sum
FROM inspected
GROUP BY partner_id, domain, period, selected_by, scored, score_max, critical, major, minor
