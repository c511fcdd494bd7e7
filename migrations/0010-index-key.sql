-- Which index key made a row: while a contract's index key moves, rows of two lie side by side. In no index: a search asks by the value, which says it already.
alter table postern.blind_index add column generation int not null;
-- Of an index key: which rows are its own.
alter table postern.contract_key add column generation int not null default 1;
