-- Support that the vendor provided, by the instant at which it was provided.
-- Grain: partner x fiscal year x type.
SELECT
  s.partner_id AS partner_id,
  y.fiscal_year AS fiscal_year,
  s.type AS type,
  CAST(COUNT(*) AS BIGINT) AS used
FROM support AS s
JOIN calendar_partner_years AS y ON s.partner_id = y.partner_id
WHERE s.provided_at >= y.starts_at AND s.provided_at < y.ends_at
GROUP BY s.partner_id, y.fiscal_year, s.type
