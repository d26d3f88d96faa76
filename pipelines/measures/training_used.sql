-- Training places taken at the vendor.
-- Grain: partner x fiscal year x type. Year: completed_on.
SELECT
  e.partner_id AS partner_id,
  y.fiscal_year AS fiscal_year,
  e.type AS type,
  CAST(COUNT(*) AS BIGINT) AS used
FROM enablement AS e
JOIN calendar_partner_years AS y ON e.partner_id = y.partner_id
WHERE e.provider = 'vendor'
  AND e.completed_on >= y.first_on AND e.completed_on < y.end_on
GROUP BY e.partner_id, y.fiscal_year, e.type
