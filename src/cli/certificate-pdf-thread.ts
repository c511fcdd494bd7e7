/** A thread that makes one PDF and ends: a gateway that serves meanwhile is not held up by it. */
import { parentPort, workerData } from "node:worker_threads";
import { certificatePdf } from "./certificate-pdf.ts";

parentPort?.postMessage(await certificatePdf(workerData.views, workerData.digest));
