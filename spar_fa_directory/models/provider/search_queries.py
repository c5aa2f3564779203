"""The queries by which providers and branches are found by words."""

# A word may be in the branch or in its provider. The words of the providers are looked
# up first (few rows); then, for each set of words that some provider has, the branches
# with the remaining words are found by the index, so that nothing is stored twice.
#
#: ``rest``: the words of branches whose provider has the words of ``mask``.
REST = """
    WITH word AS MATERIALIZED (
        SELECT query, 1 << (place - 1)::integer AS bit
          FROM unnest(%(words)s::tsquery[]) WITH ORDINALITY AS requested (query, place)
    ), covered AS MATERIALIZED (
        SELECT fsp.id, bit_or(word.bit) AS mask
          FROM word JOIN spar_fsp AS fsp ON fsp.search_words @@ word.query
      GROUP BY fsp.id
    ), lacked AS MATERIALIZED (
        SELECT 0 AS bit UNION ALL SELECT bit FROM word WHERE %(may_miss_one)s
    ), rest AS MATERIALIZED (
        SELECT DISTINCT mask, lacked.bit AS lacked,
               (SELECT string_agg('(' || query::text || ')', ' & ')::tsquery
                  FROM word WHERE word.bit & (mask | lacked.bit) = 0) AS query
          FROM (SELECT mask FROM covered UNION SELECT 0) AS masks, lacked
         WHERE mask | lacked.bit <> %(all)s
    )
"""
BRANCHES_FOUND = """
    %(rest)s, matched AS MATERIALIZED (
        SELECT branch.id
          FROM rest
          JOIN spar_fsp_branch AS branch ON branch.search_words @@ rest.query
     LEFT JOIN covered ON covered.id = branch.provider_id
         WHERE rest.mask & coalesce(covered.mask, 0) = rest.mask
      GROUP BY branch.id
      ORDER BY branch.id
    ), own AS MATERIALIZED (
        SELECT branch.id FROM matched AS branch WHERE TRUE %(in_domain)s
      ORDER BY branch.id LIMIT %(most)s
    ), whole AS (
        SELECT branch.id
          FROM (SELECT fsp.id
                  FROM covered JOIN spar_fsp AS fsp ON fsp.id = covered.id
                 WHERE EXISTS (SELECT FROM lacked WHERE mask | bit = %(all)s)
              ORDER BY %(nearness)s, %(penalty)s, length(%(name)s), %(name)s, fsp.id
                ) AS fsp
    CROSS JOIN LATERAL (
               SELECT branch.id FROM spar_fsp_branch AS branch
                WHERE branch.provider_id = fsp.id %(in_domain)s
             ORDER BY branch.name, branch.id LIMIT %(most_whole)s) AS branch
         LIMIT %(most_whole)s
    )
    SELECT id, 0 AS tier FROM own
     UNION ALL
    SELECT id, 1 FROM whole WHERE id NOT IN (SELECT id FROM own)
"""
BRANCHES_RANKED = """
    SELECT branch.id
      FROM (%(found)s) AS found
      JOIN spar_fsp_branch AS branch ON branch.id = found.id
      JOIN spar_fsp AS fsp ON fsp.id = branch.provider_id
  ORDER BY upper(branch.code COLLATE "C") = %(code)s DESC, found.tier,
           %(nearness)s, %(penalty)s,
           length(%(name)s)
               + CASE found.tier WHEN 0 THEN length(branch.name) ELSE 0 END,
           %(name)s, fsp.id, branch.name, branch.id
     LIMIT %(most)s
"""
#: Providers with a branch that has the words that the provider itself does not have.
PROVIDERS_BY_PLACE = """
    %(rest)s
    SELECT DISTINCT branch.provider_id AS id, 1 AS tier
      FROM rest
      JOIN spar_fsp_branch AS branch ON branch.search_words @@ rest.query
 LEFT JOIN covered ON covered.id = branch.provider_id
     WHERE rest.mask & coalesce(covered.mask, 0) = rest.mask
       AND branch.id IN %(branch_ids)s
"""
