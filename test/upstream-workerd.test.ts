/**
 * In the long form: what is promised of merchants' APIs on Node holds with plain workerd in the edge's place, by the same tests. The usual run has the heart of it in
 * deploy-workerd.test.ts.
 */
import { describe, it } from "vitest";
import { openTestPool } from "./support/databases.ts";
import { isLong } from "./support/long.ts";
import { createPlainWorkerd } from "./support/plain-workerd.ts";
import { openShop, type ShopDoor, shopDoors } from "./support/shop.ts";

/** The keeper stays on Node; what agents ask of merchants' APIs goes to workerd. */
async function openInWorkerd(): Promise<ShopDoor> {
  const shop = await openShop();
  const world = await createPlainWorkerd({ shop: shop.port });
  const owner = openTestPool(world.ownerUrl);
  const call: typeof world.gateway.call = (method, path, options) =>
    path.includes("/upstream/") ? world.call(method, path, options) : world.gateway.call(method, path, options);
  const close = async () => {
    await owner.close();
    await world.close();
  };
  const listen = async () => ({ port: Number(new URL(world.origin).port), close: () => undefined });
  return { shop, gateway: { ...world.gateway, database: owner, call, close }, listen };
}

const files = {
  asked: () => import("./upstream.test.ts"),
  answers: () => import("./upstream-answers.test.ts"),
  kept: () => import("./upstream-kept.test.ts"),
  platforms: () => import("./upstream-platforms.test.ts"),
  writes: () => import("./upstream-writes.test.ts"),
};

if (isLong) Object.assign(shopDoors, { onNode: false, open: openInWorkerd } satisfies typeof shopDoors);
for (const [name, load] of Object.entries(files)) {
  describe(`in plain workerd: ${name}`, async () => {
    if (isLong) await load();
    else it.skip("in the long form of the tests");
  });
}
