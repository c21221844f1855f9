-- The gateway's role and database, made once, on the primary: psql -v password=… -f database.sql
\set ON_ERROR_STOP on
CREATE ROLE ksz LOGIN PASSWORD :'password';
CREATE DATABASE ksz OWNER ksz ENCODING 'UTF8' TEMPLATE template0;
