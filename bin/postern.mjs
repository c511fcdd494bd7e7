#!/usr/bin/env -S node --v8-pool-size=1 --max-semi-space-size=16 --heap-growing-percent=60
// One helper thread and a bounded young generation: the gateway shares its cores with others, and its memory stays bounded under load.
await import("../src/cli.ts");
