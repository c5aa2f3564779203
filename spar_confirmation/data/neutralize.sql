-- a copy of the database is no client of the ID providers
UPDATE spar_confirmation_client
   SET client_secret_sealed = NULL;
UPDATE spar_signing_key
   SET private_key = NULL
 WHERE use LIKE 'confirm.%';
