import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { ABIS, type Contract } from "./gnd.ts";
import { readSchema } from "./schema.ts";

const schema = readSchema();
const entities = [...schema.entities.values()];
const fields = entities.flatMap((entity) =>
  [...entity.fields.values()].map((field) => ({ ...field, name: `${entity.name}.${field.name}`, of: entity.name })),
);
const values = [...schema.enums.values()].flatMap(({ name, values }) =>
  values.map((value) => ({ ...value, name: `${name}.${value.name}` })),
);

/** What GraphQL and graph-node know by themselves. */
const SCALARS = ["Boolean", "BigInt", "Bytes", "Int", "String"];
/** A number's unit, or what it is the number, index, id or bits of; else its description begins with what it counts. */
const UNIT = /(?<![\w'])(mWh|W|s|units of the token|number of|index of|id of|bits)(?![\w'])/;
const COUNTED = /^(readings|heads|meters|batches|equivocations|retirements)(?!\w)/;

describe("the subgraph's schema", () => {
  const none = (wrong: { name: string }[]) =>
    assert.deepEqual(
      wrong.map(({ name }) => name),
      [],
    );

  it("describes every entity and its fields, every enum and its values", () =>
    none([...entities, ...fields, ...schema.enums.values(), ...values].filter(({ description }) => !description)));

  it("says of every number what its unit is, or what it counts", () => {
    const numbers = fields.filter(({ type }) => type === "BigInt" || type === "Int");
    none(numbers.filter(({ description = "" }) => !UNIT.test(description) && !COUNTED.test(description)));
  });

  it("says what it means where something is absent", () => {
    const optional = fields.filter(({ list, required }) => !list && !required);
    none(optional.filter(({ description = "" }) => !/\bnull\b/.test(description)));
  });

  it("says of every entity whether it ever changes", () =>
    none(entities.filter(({ immutable }) => immutable === undefined)));

  it("has no type that is not there", () => {
    const known = [...SCALARS, ...schema.entities.keys(), ...schema.enums.keys()];
    none(fields.filter(({ type }) => !known.includes(type)));
  });

  it("has a list for nothing but the other side of a field", () => {
    none(fields.filter(({ list, derivedFrom }) => list !== (derivedFrom !== undefined)));
    none(
      fields.filter(({ of, type, derivedFrom }) => {
        const other = derivedFrom && schema.entities.get(type)?.fields.get(derivedFrom);
        return derivedFrom && (!other || other.type !== of || other.list);
      }),
    );
  });
});

/** Events that are not handled, and why. */
const LEFT_OUT: Record<Contract, Record<string, string>> = {
  MeterRegistry: {
    Approval: "who may move a meter has not moved it",
    ApprovalForAll: "who may move a meter has not moved it",
    AuthorityUpdated: "roles are not indexed",
    BatchMetadataUpdate: "it is never told",
    ContractURIUpdated: "it is never told",
    MetadataUpdate: "what the metadata says is told by other events",
    MeterDecommissioned: "WattWitness's Ended says so, and until when readings count",
    WatcherChanged: "a transfer may end it, by whether the new owner has code, and no event tells that",
  },
  WattWitness: {
    AuthorityUpdated: "roles are not indexed",
  },
  ProductionToken: {
    Approval: "who may spend tokens has not spent them",
    ContractURIUpdated: "it is never told",
    EIP712DomainChanged: "it never does",
  },
  FunctionsAttestor: {
    AuthorityUpdated: "roles are not indexed",
    RequestSent: "AttestationRequested says more",
    RequestFulfilled: "AttestationConfirmed or AttestationRefused says how",
  },
};

describe("the subgraph's manifest", () => {
  const { dataSources } = parse(readFileSync(new URL("../subgraph.template.yaml", import.meta.url), "utf8")) as {
    dataSources: { name: Contract; mapping: { entities: string[]; eventHandlers: { event: string }[] } }[];
  };
  const handledBy = Object.fromEntries(
    dataSources.map(({ name, mapping }) => [name, mapping.eventHandlers.map(({ event }) => event)]),
  );

  it("has every contract", () => assert.deepEqual(Object.keys(handledBy), Object.keys(ABIS)));

  for (const [contract, abi] of Object.entries(ABIS)) {
    const declared = abi
      .filter((item) => item.type === "event")
      .map(({ name, inputs }) => {
        const types = inputs.map(({ type, indexed }) => `${indexed ? "indexed " : ""}${type}`);
        return { name, signature: `${name}(${types.join(",")})` };
      });
    const leftOut = Object.keys(LEFT_OUT[contract as Contract]);

    it(`handles every event of ${contract}, as its ABI declares it, but those that are left out`, () => {
      const handled = declared.filter(({ name }) => !leftOut.includes(name)).map(({ signature }) => signature);
      assert.deepEqual(handledBy[contract]?.toSorted(), handled.toSorted());
    });

    it(`leaves no event of ${contract} out that there is not`, () => {
      const names = declared.map(({ name }): string => name);
      assert.deepEqual(
        leftOut.filter((name) => !names.includes(name)),
        [],
      );
    });
  }

  it("names the entities of each contract's handlers", () => {
    for (const { name, mapping } of dataSources) {
      for (const entity of mapping.entities) assert.ok(schema.entities.has(entity), `${name}: there is no ${entity}`);
    }
  });
});
