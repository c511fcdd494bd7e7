#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --v8-pool-size=1 --max-semi-space-size=8 --heap-growing-percent=60
// One helper thread, two arenas and a bounded young generation: the gateway shares its cores with others, and its memory stays bounded under load.
await import("../src/cli.ts");
