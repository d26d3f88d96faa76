-- Answers to satisfaction surveys.
-- Grain: partner x domain x period x customer x customer class x how the customer was selected.
-- Period: answered_at. Domain: the product's on completed_at, else opened_at, of the delivery. Only what the partner
-- itself delivered (collaborative). Satisfied: 4 (rating - scale_min) >= 3 (scale_max - scale_min).
WITH answers AS (
  SELECT
    d.partner_id AS partner_id,
    p.domain AS domain,
    c.period AS period,
    s.customer_id AS customer_id,
    d.customer_class AS customer_class,
    s.selected_by AS selected_by,
    s.vendor_fault AS vendor_fault,
    CAST(s.responsibility_share AS DECIMAL(38, 4)) AS share,
    CAST(s.responsibility_share AS DECIMAL(38, 8)) AS wide_share,
    CASE WHEN (s.rating - s.scale_min) * 4 >= (s.scale_max - s.scale_min) * 3 THEN TRUE ELSE FALSE END AS satisfied
  FROM surveys AS s
  JOIN deliveries AS d ON s.delivery_id = d.delivery_id
  JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
  JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
  WHERE s.rating IS NOT NULL
    AND d.service_model = 'collaborative'
    AND s.answered_at >= c.starts_at AND s.answered_at < c.ends_at
    AND COALESCE(d.completed_at, d.opened_at) >= p.starts_at AND COALESCE(d.completed_at, d.opened_at) < p.ends_at
)
SELECT
  partner_id,
  domain,
  period,
  customer_id,
  customer_class,
  selected_by,
  CAST(SUM(CASE WHEN vendor_fault = FALSE AND share > CAST(0 AS DECIMAL(38, 4)) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS answers,
  SUM(CASE WHEN vendor_fault = FALSE THEN share ELSE CAST(0 AS DECIMAL(38, 4)) END) AS share_sum,
  SUM(CASE WHEN vendor_fault = FALSE
    THEN CAST(wide_share AS DECIMAL(38, 8)) * CAST(wide_share AS DECIMAL(38, 8))
    ELSE CAST(0 AS DECIMAL(38, 8)) END) AS share_square_sum,
  CAST(SUM(CASE WHEN vendor_fault = FALSE AND share > CAST(0 AS DECIMAL(38, 4)) AND satisfied = TRUE THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS satisfied_answers,
  SUM(CASE WHEN vendor_fault = FALSE AND satisfied = TRUE THEN share ELSE CAST(0 AS DECIMAL(38, 4)) END) AS satisfied_share_sum,
  CAST(SUM(CASE WHEN vendor_fault = TRUE THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS vendor_fault_answers,
  CAST(SUM(CASE WHEN vendor_fault = FALSE AND share = CAST(0 AS DECIMAL(38, 4)) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS zero_share_answers
FROM answers
GROUP BY partner_id, domain, period, customer_id, customer_class, selected_by
