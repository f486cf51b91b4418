import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";

/**
 * What drives a machine, for `driversFor`: the modaliases of its devices, the names of the modules that drive them now, and
 * of those that a driver has loaded by name and that are no drivers themselves (iwlmvm, for some of iwlwifi's cards). Sorted,
 * each once.
 */
export async function machineDevices(sysfs = "/sys"): Promise<string[]> {
  const found = new Set<string>();
  const visit = async (directory: string): Promise<void> => {
    // Its links go round in circles.
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) await visit(path);
      else if (entry.name === "modalias") {
        const text = await readFile(path, "utf8").catch(() => "");
        for (const line of text.split("\n")) if (line !== "") found.add(line);
      } else if (entry.name === "driver") for (const module of await modulesOf(path)) found.add(module);
    }
  };
  await visit(join(sysfs, "devices"));
  return [...found].sort();
}

async function modulesOf(driver: string): Promise<string[]> {
  const module = await realpath(join(driver, "module")).catch(() => undefined);
  if (module === undefined) return [];
  const holders = await readdir(join(module, "holders")).catch(() => []);
  const isDriver = (name: string): Promise<boolean> =>
    stat(join(module, "holders", name, "drivers")).then(
      () => true,
      () => false,
    );
  const drivers = await Promise.all(holders.map(isDriver));
  return [basename(module), ...holders.filter((_, index) => drivers[index] === false)];
}
