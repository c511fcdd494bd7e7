-- From which shop, and for which purpose, a record was handed over, where the merchant says so with its import: a part of a contract's data that may end apart.
alter table postern.record add column shop text, add column purpose text;
