-- A third share, held by the merchant: named by its commitment alone; empty where the merchant holds none.
alter table postern.key_epoch add column commitment_c text;
alter table postern.key_epoch alter commitment_c set statistics 0;
