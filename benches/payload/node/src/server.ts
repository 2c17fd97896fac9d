// The API on node:http: `node server.js HOST:PORT`.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buildDocument } from "./build.js";
import { summary } from "./check.js";
import { isDocument } from "./document.js";

const MAX_ITEMS = 200_000;

function json(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": body.length,
  });
  response.end(body);
}

function get(query: string, response: ServerResponse): void {
  const items = /^items=(\d+)$/.exec(query)?.[1];
  const count = Number(items);
  if (items === undefined || count < 1 || count > MAX_ITEMS) {
    return json(response, 400, { error: "items" });
  }
  json(response, 200, buildDocument(count));
}

function post(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    let document: unknown;
    try {
      document = JSON.parse(Buffer.concat(chunks).toString());
    } catch {
      return json(response, 400, { error: "document" });
    }
    if (!isDocument(document)) {
      return json(response, 400, { error: "document" });
    }
    const result = summary(document);
    json(response, "error" in result ? 422 : 200, result);
  });
}

const server = createServer((request, response) => {
  const [path, query = ""] = (request.url ?? "").split("?", 2);
  switch (path) {
    case "/payload":
      if (request.method === "GET") return get(query, response);
      if (request.method === "POST") return post(request, response);
      break;
    case "/empty":
      if (request.method === "GET") {
        response.writeHead(200, { "content-length": 0 });
        response.end();
        return;
      }
      break;
    default:
      return json(response, 404, { error: "path" });
  }
  json(response, 405, { error: "method" });
});

const [host, port] = (process.argv[2] ?? "").split(":");
server.listen(Number(port), host);
