-- A stand-in for the Citus extension, for the citusctl lab and its tests only.
--
-- It offers the tables and functions that Patroni's Citus handler uses (Patroni 3.0 to 4.1:
-- patroni/postgresql/citus.py, later patroni/postgresql/mpp/citus.py) with the signatures of Citus 11 to 13, and the
-- few that a tool looks at. Nothing is distributed, no node talks to another, no metadata is synced: a table that is
-- "distributed" stays a plain table on the node where it was created, and every such call says so.
\echo Use "CREATE EXTENSION citus" to load this file. \quit

CREATE FUNCTION pg_catalog.citus_version() RETURNS text
    LANGUAGE sql IMMUTABLE AS $$ SELECT 'citusctl lab stand-in 0.1, not Citus' $$;

CREATE TYPE pg_catalog.noderole AS ENUM ('primary', 'secondary', 'unavailable');

CREATE SCHEMA citus;
GRANT USAGE ON SCHEMA citus TO public;

CREATE SEQUENCE citus.pg_dist_node_nodeid_seq MINVALUE 1 MAXVALUE 4294967296;
ALTER SEQUENCE citus.pg_dist_node_nodeid_seq SET SCHEMA pg_catalog;
CREATE SEQUENCE citus.pg_dist_groupid_seq MINVALUE 1 MAXVALUE 4294967296;
ALTER SEQUENCE citus.pg_dist_groupid_seq SET SCHEMA pg_catalog;

CREATE TABLE citus.pg_dist_node (
    nodeid int NOT NULL DEFAULT nextval('pg_catalog.pg_dist_node_nodeid_seq') PRIMARY KEY,
    groupid int NOT NULL DEFAULT nextval('pg_catalog.pg_dist_groupid_seq'),
    nodename text NOT NULL,
    nodeport int NOT NULL DEFAULT 5432,
    noderack text NOT NULL DEFAULT 'default',
    hasmetadata bool NOT NULL DEFAULT false,
    isactive bool NOT NULL DEFAULT true,
    noderole pg_catalog.noderole NOT NULL DEFAULT 'primary',
    nodecluster name NOT NULL DEFAULT 'default',
    metadatasynced bool NOT NULL DEFAULT false,
    shouldhaveshards bool NOT NULL DEFAULT true,
    UNIQUE (nodename, nodeport),
    CONSTRAINT primaries_are_only_allowed_in_the_default_cluster
        CHECK (NOT (nodecluster <> 'default' AND noderole = 'primary'))
);
ALTER TABLE citus.pg_dist_node SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.pg_dist_node TO public;

CREATE TABLE citus.pg_dist_authinfo (
    nodeid int NOT NULL,
    rolename name NOT NULL,
    authinfo text NOT NULL,
    PRIMARY KEY (rolename, nodeid)
);
ALTER TABLE citus.pg_dist_authinfo SET SCHEMA pg_catalog;
REVOKE ALL ON pg_catalog.pg_dist_authinfo FROM public;

CREATE TABLE citus.pg_dist_poolinfo (
    nodeid int PRIMARY KEY REFERENCES pg_catalog.pg_dist_node (nodeid) ON DELETE CASCADE,
    poolinfo text NOT NULL
);
ALTER TABLE citus.pg_dist_poolinfo SET SCHEMA pg_catalog;
REVOKE ALL ON pg_catalog.pg_dist_poolinfo FROM public;

CREATE TABLE citus.pg_dist_partition (
    logicalrelid regclass PRIMARY KEY,
    partmethod "char" NOT NULL,
    partkey text,
    colocationid int NOT NULL DEFAULT 0,
    repmodel "char" NOT NULL DEFAULT 's',
    autoconverted bool NOT NULL DEFAULT false
);
ALTER TABLE citus.pg_dist_partition SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.pg_dist_partition TO public;

-- Where shards would be. The rows of the tables are never moved.
CREATE SEQUENCE citus.pg_dist_shardid_seq MINVALUE 102008;
ALTER SEQUENCE citus.pg_dist_shardid_seq SET SCHEMA pg_catalog;
CREATE TABLE citus.pg_dist_shard (
    logicalrelid regclass NOT NULL,
    shardid bigint NOT NULL DEFAULT nextval('pg_catalog.pg_dist_shardid_seq') PRIMARY KEY,
    shardstorage "char" NOT NULL DEFAULT 't'
);
ALTER TABLE citus.pg_dist_shard SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.pg_dist_shard TO public;
CREATE TABLE citus.pg_dist_placement (
    shardid bigint NOT NULL,
    shardstate int NOT NULL DEFAULT 1,
    groupid int NOT NULL
);
ALTER TABLE citus.pg_dist_placement SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.pg_dist_placement TO public;

-- Citus refuses two primaries in one group; the rest of its checks need a connection to the node.
CREATE FUNCTION pg_catalog.citus_add_node(
    nodename text, nodeport int, groupid int DEFAULT -1,
    noderole noderole DEFAULT 'primary', nodecluster name DEFAULT 'default')
RETURNS int LANGUAGE plpgsql STRICT AS $$
DECLARE
    id int;
    wanted int := groupid;
BEGIN
    SELECT n.nodeid INTO id FROM pg_catalog.pg_dist_node n
     WHERE n.nodename = citus_add_node.nodename AND n.nodeport = citus_add_node.nodeport;
    IF FOUND THEN
        RETURN id;
    END IF;
    IF wanted < 0 THEN
        wanted := nextval('pg_catalog.pg_dist_groupid_seq');
    END IF;
    IF citus_add_node.noderole = 'primary' AND EXISTS (
        SELECT FROM pg_catalog.pg_dist_node n
         WHERE n.groupid = wanted AND n.noderole = 'primary')
    THEN
        RAISE EXCEPTION 'group % already has a primary node', wanted;
    END IF;
    INSERT INTO pg_catalog.pg_dist_node AS n
        (groupid, nodename, nodeport, noderole, nodecluster, hasmetadata, metadatasynced, shouldhaveshards)
    VALUES (wanted, citus_add_node.nodename, citus_add_node.nodeport, citus_add_node.noderole,
            citus_add_node.nodecluster, false, false, wanted <> 0)
    RETURNING n.nodeid INTO id;
    RETURN id;
END $$;

CREATE FUNCTION pg_catalog.citus_update_node(
    node_id int, new_node_name text, new_node_port int,
    force bool DEFAULT false, lock_cooldown int DEFAULT 10000)
RETURNS void LANGUAGE plpgsql STRICT AS $$
BEGIN
    UPDATE pg_catalog.pg_dist_node SET nodename = new_node_name, nodeport = new_node_port
     WHERE nodeid = node_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node % not found', node_id;
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_remove_node(nodename text, nodeport int)
RETURNS void LANGUAGE plpgsql STRICT AS $$
BEGIN
    DELETE FROM pg_catalog.pg_dist_node n
     WHERE n.nodename = citus_remove_node.nodename AND n.nodeport = citus_remove_node.nodeport;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node at "%:%" does not exist', nodename, nodeport;
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_disable_node(nodename text, nodeport int, synchronous bool DEFAULT false)
RETURNS void LANGUAGE sql STRICT AS $$
    UPDATE pg_catalog.pg_dist_node n SET isactive = false
     WHERE n.nodename = citus_disable_node.nodename AND n.nodeport = citus_disable_node.nodeport $$;

CREATE FUNCTION pg_catalog.citus_activate_node(nodename text, nodeport int)
RETURNS int LANGUAGE sql STRICT AS $$
    UPDATE pg_catalog.pg_dist_node n SET isactive = true
     WHERE n.nodename = citus_activate_node.nodename AND n.nodeport = citus_activate_node.nodeport
    RETURNING n.nodeid $$;

CREATE FUNCTION pg_catalog.citus_set_coordinator_host(
    host text, port int DEFAULT current_setting('port')::int,
    node_role noderole DEFAULT 'primary', node_cluster name DEFAULT 'default')
RETURNS void LANGUAGE plpgsql STRICT AS $$
BEGIN
    UPDATE pg_catalog.pg_dist_node SET nodename = host, nodeport = port
     WHERE groupid = 0 AND noderole = node_role AND nodecluster = node_cluster;
    IF NOT FOUND THEN
        PERFORM pg_catalog.citus_add_node(host, port, 0, node_role, node_cluster);
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_set_node_property(nodename text, nodeport int, property text, value bool)
RETURNS void LANGUAGE plpgsql STRICT AS $$
BEGIN
    IF property <> 'shouldhaveshards' THEN
        RAISE EXCEPTION 'only the "shouldhaveshards" property can be set using this function';
    END IF;
    UPDATE pg_catalog.pg_dist_node n SET shouldhaveshards = value
     WHERE n.nodename = citus_set_node_property.nodename AND n.nodeport = citus_set_node_property.nodeport;
END $$;

CREATE FUNCTION pg_catalog.citus_get_active_worker_nodes(OUT node_name text, OUT node_port bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT nodename, nodeport::bigint FROM pg_catalog.pg_dist_node
     WHERE isactive AND noderole = 'primary' AND shouldhaveshards $$;

CREATE FUNCTION pg_catalog.citus_is_coordinator() RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_node WHERE groupid = 0) $$;

-- Citus connects from every node to every node; the stand-in cannot, so every answer is "unknown".
CREATE FUNCTION pg_catalog.citus_check_cluster_node_health(
    OUT from_nodename text, OUT from_nodeport int, OUT to_nodename text, OUT to_nodeport int, OUT result bool)
RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
BEGIN
    RAISE NOTICE 'stand-in for Citus: no connection was tried, every result is null';
    RETURN QUERY SELECT f.nodename, f.nodeport, t.nodename, t.nodeport, NULL::bool
        FROM pg_catalog.pg_dist_node f, pg_catalog.pg_dist_node t;
END $$;

CREATE FUNCTION pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                    WHERE attrelid = table_name AND attname = distribution_column AND attnum > 0)
    THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', distribution_column, table_name;
    END IF;
    INSERT INTO pg_catalog.pg_dist_partition (logicalrelid, partmethod, partkey, colocationid)
    VALUES (table_name, 'h', distribution_column, 1);
    WITH nodes AS (
        SELECT groupid, row_number() OVER (ORDER BY groupid) - 1 AS place, count(*) OVER () AS total
          FROM pg_catalog.pg_dist_node WHERE noderole = 'primary' AND isactive AND shouldhaveshards
    ), shards AS (
        INSERT INTO pg_catalog.pg_dist_shard (logicalrelid)
        SELECT table_name FROM generate_series(1, coalesce(shard_count, 32)) RETURNING shardid
    )
    INSERT INTO pg_catalog.pg_dist_placement (shardid, groupid)
    SELECT shardid, groupid FROM shards JOIN nodes ON shardid % total = place;
    RAISE NOTICE 'stand-in for Citus: "%" stays a plain table on this node', table_name;
END $$;

CREATE FUNCTION pg_catalog.citus_drain_node(nodename text, nodeport int)
RETURNS void LANGUAGE plpgsql STRICT AS $$
DECLARE
    leaving int;
BEGIN
    PERFORM pg_catalog.citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false);
    SELECT n.groupid INTO STRICT leaving FROM pg_catalog.pg_dist_node n
     WHERE n.nodename = citus_drain_node.nodename AND n.nodeport = citus_drain_node.nodeport;
    UPDATE pg_catalog.pg_dist_placement SET groupid = (
        SELECT min(n.groupid) FROM pg_catalog.pg_dist_node n
         WHERE n.noderole = 'primary' AND n.isactive AND n.shouldhaveshards)
     WHERE groupid = leaving;
    RAISE NOTICE 'stand-in for Citus: no row was moved';
END $$;

CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass)
RETURNS void LANGUAGE plpgsql STRICT AS $$
BEGIN
    INSERT INTO pg_catalog.pg_dist_partition (logicalrelid, partmethod, repmodel) VALUES (table_name, 'n', 't');
    RAISE NOTICE 'stand-in for Citus: "%" stays a plain table on this node', table_name;
END $$;

-- What is dropped is placed nowhere.
CREATE FUNCTION citus.forget_dropped() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM pg_catalog.pg_dist_placement p USING pg_catalog.pg_dist_shard s
     WHERE s.shardid = p.shardid AND s.logicalrelid::oid IN (SELECT objid FROM pg_event_trigger_dropped_objects());
    DELETE FROM pg_catalog.pg_dist_shard s WHERE s.logicalrelid::oid IN (SELECT objid FROM pg_event_trigger_dropped_objects());
    DELETE FROM pg_catalog.pg_dist_partition t WHERE t.logicalrelid::oid IN (SELECT objid FROM pg_event_trigger_dropped_objects());
END $$;
CREATE EVENT TRIGGER citus_forget_dropped ON sql_drop EXECUTE FUNCTION citus.forget_dropped();

CREATE VIEW citus.citus_tables AS
    SELECT p.logicalrelid AS table_name,
           CASE p.partmethod WHEN 'n' THEN 'reference' ELSE 'distributed' END AS citus_table_type,
           coalesce(p.partkey, '<none>') AS distribution_column,
           p.colocationid AS colocation_id,
           pg_size_pretty(pg_total_relation_size(p.logicalrelid)) AS table_size,
           1::bigint AS shard_count,
           pg_get_userbyid(c.relowner) AS table_owner,
           a.amname AS access_method
      FROM pg_catalog.pg_dist_partition p
      JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid
      LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam;
ALTER VIEW citus.citus_tables SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.citus_tables TO public;

-- Whoever may use the node functions in Citus may use them here.
REVOKE ALL ON FUNCTION pg_catalog.citus_add_node(text, int, int, noderole, name) FROM public;
REVOKE ALL ON FUNCTION pg_catalog.citus_update_node(int, text, int, bool, int) FROM public;
REVOKE ALL ON FUNCTION pg_catalog.citus_remove_node(text, int) FROM public;
REVOKE ALL ON FUNCTION pg_catalog.citus_disable_node(text, int, bool) FROM public;
REVOKE ALL ON FUNCTION pg_catalog.citus_activate_node(text, int) FROM public;
REVOKE ALL ON FUNCTION pg_catalog.citus_set_coordinator_host(text, int, noderole, name) FROM public;
REVOKE ALL ON FUNCTION pg_catalog.citus_set_node_property(text, int, text, bool) FROM public;
REVOKE ALL ON FUNCTION pg_catalog.citus_drain_node(text, int) FROM public;
