-- What a merchant is given back before its contract's keys are destroyed, and what the vendor says of its own systems.

-- Parts of one return: NDJSON of records, sealed to the merchant's public key (compact JWE). We cannot open them; they die with the rows.
create table postern.return_part (
  contract_id text not null references postern.contract,
  job_id      text not null,
  part        text not null,
  digest      text not null,
  records     int not null,
  jwe         text not null,
  primary key (contract_id, job_id, part)
);
alter table postern.return_part alter jwe set storage external;
alter table postern.return_part alter jwe set statistics 0;

-- digest: of the sealed manifest, which names every part by its own. acknowledged_…: empty until an owner says that it arrived.
create table postern.return_receipt (
  contract_id          text not null references postern.contract,
  job_id               text not null,
  digest               text not null,
  sealed_at            timestamptz not null default now(),
  acknowledged_at      timestamptz,
  acknowledged_issuer  text,
  acknowledged_subject text,
  primary key (contract_id, job_id)
);

-- One row a filing; of several about one system the newest counts. digest: of what the vendor said, canonical JSON, which jws signs where there is one.
create table postern.attestation (
  contract_id      text not null references postern.contract,
  job_id           text not null,
  attestation_id   text not null,
  system           text not null,
  statement        text not null,
  signer           text not null,
  digest           text not null,
  jws              text,
  evidence_name    text,
  evidence_digest  text,
  evidence         bytea,
  recorded_issuer  text not null,
  recorded_subject text not null,
  recorded_at      timestamptz not null default now(),
  primary key (contract_id, job_id, attestation_id)
);
alter table postern.attestation alter evidence set storage external;

-- When the owners were last told which systems the vendor has not spoken of.
alter table postern.purge_job add reminded_at timestamptz;

grant select, insert, update, delete on postern.return_part, postern.return_receipt, postern.attestation to postern_keeper;
