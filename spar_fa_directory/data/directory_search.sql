-- How the directory is searched: the words of providers and branches, kept by the
-- database itself, so that they are true whoever writes (a form, an import, a
-- translation file). Can be run again. `models/spar_directory_search.py` runs it.

-- Letters without case, accents and points, so that "Zürich" and "zurich" are one.
CREATE OR REPLACE FUNCTION spar_directory_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN value ~ '^[ -&(-_a-~]*$' THEN lower(value) ELSE
        translate(
            replace(replace(replace(replace(
                regexp_replace(
                    lower(normalize(lower(value), NFKD)),
                    -- marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters,
                    -- apostrophes, and signs that are not seen
                    '[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7'
                    '\u0640\u064b-\u065f\u0670\u06d6-\u06ed''`\u2018\u2019\u02b9-\u02bf'
                    '\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]',
                    '', 'g'
                ), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
            'øłđðħıىةکی', 'olddhiيهكي'
        )
    END
$$;

-- The tokens of a text: each the list of its words, the whole without signs first.
-- "Union-Bank" is {unionbank,union,bank}: found written in one word, too.
CREATE OR REPLACE FUNCTION spar_directory_tokens(value text) RETURNS SETOF text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN token !~ sign THEN ARRAY[left(token, 60)] ELSE
        ARRAY(
            SELECT left(word, 60)
              FROM unnest(
                  regexp_replace(token, sign, '', 'g')
                  || regexp_split_to_array(token, sign)
              ) AS word
             WHERE word <> ''
        ) END
      FROM regexp_split_to_table(
               spar_directory_fold(left(value, 2000)),
               '[\s,;/|()\[\]{}<>"\u00ab\u00bb\u060c\u061b\u061f\u06d4\u0964\u0965'
               '\u201c-\u201f\u3000-\u303f]+'
           ) AS token,
           (VALUES ('[!#$%&*+.:=?@\\^_~\-\u00a1-\u00bf\u2010-\u2017\u2020-\u205e]+'))
               AS signs (sign)
     WHERE token ~ '[^!#$%&*+.:=?@\\^_~\-\u00a1-\u00bf\u2010-\u2017\u2020-\u205e]'
$$;

CREATE OR REPLACE FUNCTION spar_directory_words(value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_to_tsvector(coalesce(array_agg(word), '{}'))
      FROM spar_directory_tokens(value) AS token, unnest(token) AS word
$$;

-- A word and each form of it with one letter left out. Two words that are one slip of
-- the finger apart (a letter too many, too few, another one, or two that changed
-- places) have such a form in common.
CREATE OR REPLACE FUNCTION spar_directory_forms(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT overlay(word PLACING '' FROM place FOR 1)) || word
      FROM generate_series(1, length(word)) AS place
$$;

-- Every word that stands in the directory and in which a typing error can be told:
-- four letters or more, no digit. A number that is mistyped is another number.
CREATE TABLE IF NOT EXISTS spar_directory_word (
    word text PRIMARY KEY,
    forms text[] NOT NULL GENERATED ALWAYS AS (spar_directory_forms(word)) STORED
);
CREATE INDEX IF NOT EXISTS spar_directory_word_forms
    ON spar_directory_word USING gin (forms);
CREATE INDEX IF NOT EXISTS spar_directory_word_trigrams
    ON spar_directory_word USING gin (word gin_trgm_ops);

CREATE OR REPLACE FUNCTION spar_directory_learn_words() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO spar_directory_word (word)
    SELECT DISTINCT read.word
      FROM written, unnest(tsvector_to_array(written.search_words)) AS read (word)
     WHERE read.word ~ '^[^0-9]{4,}$'
       AND NOT EXISTS (SELECT FROM spar_directory_word AS known
                        WHERE known.word = read.word)
     ORDER BY read.word
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
