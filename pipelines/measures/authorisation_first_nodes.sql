-- First deliveries of a product by a partner, without first-node support for that product provided before completion.
-- Grain: one delivery. Period: completed_at. Only collaborative deliveries.
WITH firsts AS (
  SELECT
    d.delivery_id AS delivery_id,
    d.partner_id AS partner_id,
    c.period AS period,
    c.region AS region,
    p.domain AS domain,
    d.product_id AS product_id,
    p.category AS category,
    d.completed_at AS completed_at,
    d.arrival AS arrival,
    d.source_file AS source_file,
    d.source_line AS source_line
  FROM deliveries AS d
  JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
  JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
  WHERE d.service_model = 'collaborative'
    AND d.first_of_product = TRUE
    AND d.completed_at >= c.starts_at AND d.completed_at < c.ends_at
    AND d.completed_at >= p.starts_at AND d.completed_at < p.ends_at
),
supported AS (
  SELECT f.delivery_id AS delivery_id, CAST(COUNT(*) AS BIGINT) AS times
  FROM firsts AS f
  JOIN support AS s ON f.partner_id = s.partner_id AND f.product_id = s.product_id
  WHERE s.type = 'first_node' AND s.provided_at < f.completed_at
  GROUP BY f.delivery_id
)
SELECT
  f.delivery_id AS delivery_id,
  f.partner_id AS partner_id,
  f.period AS period,
  f.region AS region,
  f.domain AS domain,
  f.product_id AS product_id,
  f.category AS category,
  f.completed_at AS completed_at,
  f.arrival AS arrival,
  f.source_file AS source_file,
  f.source_line AS source_line
FROM firsts AS f
LEFT JOIN supported AS s ON f.delivery_id = s.delivery_id
WHERE s.times IS NULL
