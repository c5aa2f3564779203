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
            'øłđðħıىةکی'
            -- digits of other scripts
            '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९০১২৩৪৫৬৭৮৯੦੧੨੩੪੫੬੭੮੯'
            '૦૧૨૩૪૫૬૭૮૯୦୧୨୩୪୫୬୭୮୯௦௧௨௩௪௫௬௭௮௯౦౧౨౩౪౫౬౭౮౯೦೧೨೩೪೫೬೭೮೯'
            '൦൧൨൩൪൫൬൭൮൯๐๑๒๓๔๕๖๗๘๙໐໑໒໓໔໕໖໗໘໙༠༡༢༣༤༥༦༧༨༩၀၁၂၃၄၅၆၇၈၉'
            '០១២៣៤៥៦៧៨៩',
            'olddhiيهكي' || repeat('0123456789', 16)
        )
    END
$$;

-- The plain form of a word, for ways of writing that readers take for one: without the
-- article of Arabic and Hebrew ("البنك" is "بنك"); in the scripts of India with one sign
-- for a nasal before a consonant ("पन्जाब" is "पंजाब"), without the points and the breath
-- that many leave out ("बाज़ार" is "बाजार"), and with one of two vowels that sound alike
-- ("नयी" is "नई").
CREATE OR REPLACE FUNCTION spar_directory_plain(word text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN word ~ '^[ -~]*$' THEN word
        WHEN word ~ '[\u0900-\u0d7f]' THEN
            regexp_replace(regexp_replace(regexp_replace(
                regexp_replace(
                    word,
                    -- nukta, visarga
                    '[\u093c\u09bc\u0a3c\u0abc\u0b3c\u0c3c\u0cbc\u0d3c\u0903\u0983'
                    '\u0a03\u0a83\u0b03\u0c03\u0c83\u0d03]',
                    '', 'g'
                ),
                    -- a nasal letter without its vowel before a consonant
                    '[\u0919\u0999\u0a19\u0a99\u0b19\u0c19\u0c99\u0d19\u091e\u099e'
                    '\u0a1e\u0a9e\u0b1e\u0c1e\u0c9e\u0d1e\u0923\u09a3\u0a23\u0aa3'
                    '\u0b23\u0c23\u0ca3\u0d23\u0928\u09a8\u0a28\u0aa8\u0b28\u0c28'
                    '\u0ca8\u0d28\u092e\u09ae\u0a2e\u0aae\u0b2e\u0c2e\u0cae\u0d2e]'
                    '[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0c4d\u0ccd\u0d4d]'
                    '(?=[\u0915-\u0939\u0995-\u09b9\u0a15-\u0a39\u0a95-\u0ab9'
                    '\u0b15-\u0b39\u0c15-\u0c39\u0c95-\u0cb9\u0d15-\u0d39])'
                    -- candrabindu, anusvara, tippi
                    '|[\u0901\u0981\u0a01\u0a81\u0b01\u0c01\u0c81\u0d01\u0902\u0982'
                    '\u0a02\u0a82\u0b02\u0c02\u0c82\u0d02\u0a70]',
                'ं', 'g'
            ), '(?<=.)\u092f\u0940', 'ई', 'g'), '(?<=.)\u092f\u0947', 'ए', 'g')
        ELSE regexp_replace(
            word,
            '^(?:[\u0648\u0641]?(?:[\u0628\u0643]?\u0627\u0644|\u0644\u0644)'
            '(?=[\u0621-\u064a]{2})|\u05d4(?=[\u05d0-\u05ea]{3}))',
            ''
        )
    END
$$;

-- The words of a token: the whole without signs first, then what is between the signs,
-- or the plain form. "Union-Bank" is {unionbank,union,bank}: found written in one word,
-- too.
CREATE OR REPLACE FUNCTION spar_directory_token(token text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    sign constant text
        := '[!#$%&*+.:=?@\\^_~\-\u00a1-\u00bf\u2010-\u2017\u2020-\u205e]+';
    plain text;
BEGIN
    IF token ~ '^[0-9a-z]+$' THEN
        RETURN ARRAY[left(token, 60)];
    ELSIF token !~ sign THEN
        plain := spar_directory_plain(token);
        RETURN CASE plain WHEN token THEN ARRAY[left(token, 60)]
               ELSE ARRAY[left(token, 60), left(plain, 60)] END;
    END IF;
    RETURN ARRAY(
        SELECT left(word, 60)
          FROM unnest(
              regexp_replace(token, sign, '', 'g')
              || ARRAY(SELECT spar_directory_plain(part)
                         FROM regexp_split_to_table(token, sign) AS part)
          ) AS word
         WHERE word <> ''
    );
END
$$;

-- The tokens of a text: each the list of its words.
CREATE OR REPLACE FUNCTION spar_directory_tokens(value text) RETURNS SETOF text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT spar_directory_token(token)
      FROM regexp_split_to_table(
               spar_directory_fold(left(value, 2000)),
               '[\s,;/|()\[\]{}<>"\u00ab\u00bb\u060c\u061b\u061f\u06d4\u0964\u0965'
               '\u201c-\u201f\u3000-\u303f]+'
           ) AS token
     WHERE token ~ '[^!#$%&*+.:=?@\\^_~\-\u00a1-\u00bf\u2010-\u2017\u2020-\u205e]'
$$;

-- Words that say "and": "P and T" is "P&T".
CREATE OR REPLACE FUNCTION spar_directory_and() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '{and,und,et,och,og,y,ve,at,и,і,و,और,एवं,व,এবং,ও,અને,ਅਤੇ,மற்றும்}'::text[]
$$;

-- What a record is found by: its words, and marked by "~" those that stand together,
-- written as one, so that "isbank" is found in "İş Bankası". What stands between commas,
-- slashes and the like does not stand together.
CREATE OR REPLACE FUNCTION spar_directory_words(value text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    found text[] := '{}';
    runs text[] := '{}';
    names text[];
    forms text[];
    phrase text;
    token text;
    run text;
BEGIN
    FOREACH phrase IN ARRAY regexp_split_to_array(
        spar_directory_fold(left(value, 2000)),
        '[,;/|()\[\]{}<>"\u00ab\u00bb\u060c\u061b\u061f\u06d4\u0964\u0965'
        '\u201c-\u201f\u3001-\u303f]+'
    ) LOOP
        names := '{}';
        FOR forms IN SELECT * FROM spar_directory_tokens(phrase) LOOP
            found := found || forms;
            IF forms[1] <> ALL (spar_directory_and()) THEN
                -- its plain form, where it has one
                names := names || forms[CASE cardinality(forms) WHEN 2 THEN 2 ELSE 1 END];
            END IF;
        END LOOP;
        FOR place IN 2 .. cardinality(names) LOOP
            run := names[place];
            FOR start IN REVERSE place - 1 .. greatest(place - 3, 1) LOOP
                run := left(names[start] || run, 60);
                runs := runs || run;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN array_to_tsvector(
        found || ARRAY(SELECT '~' || word FROM unnest(runs) AS word
                        WHERE word <> ALL (found))
    );
END
$$;

-- A word and each form of it with one letter left out. Two words that are one slip of
-- the finger apart (a letter too many, too few, another one, or two that changed
-- places) have such a form in common.
CREATE OR REPLACE FUNCTION spar_directory_forms(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT overlay(word PLACING '' FROM place FOR 1)) || word
      FROM generate_series(1, length(word)) AS place
$$;

-- Every word that stands in the directory and in which a typing error is recognised:
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
     WHERE read.word ~ '^[^0-9~]{4,}$'
       AND NOT EXISTS (SELECT FROM spar_directory_word AS known
                        WHERE known.word = read.word)
     ORDER BY read.word
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- The words of a whole table: what was there before it learnt.
CREATE OR REPLACE FUNCTION spar_directory_learn(name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO spar_directory_word (word)
         SELECT DISTINCT read.word
           FROM %I, unnest(tsvector_to_array(search_words)) AS read (word)
          WHERE read.word ~ ''^[^0-9~]{4,}$''
          ORDER BY read.word
             ON CONFLICT DO NOTHING', name
    );
END
$$;
