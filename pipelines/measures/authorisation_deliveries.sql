-- Deliveries that the partner was not authorised for: of products of category A, which are the vendor's alone to
-- deliver, and of category B without an active certification in the product's domain when it was completed.
-- Grain: one delivery. Period: completed_at. Only collaborative deliveries.
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
JOIN calendar_certifications AS k ON d.partner_id = k.partner_id AND c.region = k.region AND p.domain = k.domain
WHERE d.service_model = 'collaborative'
  AND d.completed_at >= c.starts_at AND d.completed_at < c.ends_at
  AND d.completed_at >= p.starts_at AND d.completed_at < p.ends_at
  AND d.completed_at >= k.starts_at AND d.completed_at < k.ends_at
  AND (p.category = 'A' OR (p.category = 'B' AND k.certified = FALSE))
