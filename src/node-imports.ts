/**
 * How Node finds drizzle's own files, for whatever starts a process that may reach the database: its package.json is 180 KB, and Node parses all of it
 * again for each of its 120 files, half a second and 160 MB a process. Inside that package a relative name ending in `.js` is a module beside the file
 * that names it, with nothing to look up. Imported for its effect, before anything imports drizzle.
 */
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, nextResolve) {
    const { parentURL } = context;
    const inside = specifier.startsWith(".") && specifier.endsWith(".js") && parentURL?.includes("/node_modules/drizzle-orm/");
    if (!inside) return nextResolve(specifier, context);
    return { url: new URL(specifier, parentURL).href, format: "module", shortCircuit: true };
  },
});
