-- Ratings of satisfaction surveys, for figures that are shown and not scored.
-- Grain: partner x domain x period x scale. Period: answered_at. Every answer counts, whosever fault it was.
-- Promoters: from nine tenths of the scale on; detractors: up to six tenths.
SELECT
  d.partner_id AS partner_id,
  p.domain AS domain,
  c.period AS period,
  s.scale_min AS scale_min,
  s.scale_max AS scale_max,
  CAST(COUNT(*) AS BIGINT) AS answers,
  SUM(CAST(s.rating AS DECIMAL(38, 4))) AS rating_sum,
  CAST(SUM(CASE WHEN s.rating = s.scale_max THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS top,
  CAST(SUM(CASE WHEN (s.rating - s.scale_min) * 10 >= (s.scale_max - s.scale_min) * 9
    THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS promoters,
  CAST(SUM(CASE WHEN (s.rating - s.scale_min) * 10 <= (s.scale_max - s.scale_min) * 6
    THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS detractors
FROM surveys AS s
JOIN deliveries AS d ON s.delivery_id = d.delivery_id
JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
WHERE s.rating IS NOT NULL
  AND s.scale_max > s.scale_min
  AND d.service_model = 'collaborative'
  AND s.answered_at >= c.starts_at AND s.answered_at < c.ends_at
  AND COALESCE(d.completed_at, d.opened_at) >= p.starts_at AND COALESCE(d.completed_at, d.opened_at) < p.ends_at
GROUP BY d.partner_id, p.domain, c.period, s.scale_min, s.scale_max
