/** Devices and their requests to become one, in SQLite. */
import type { PairedDevice, PairingRequest } from "../device.ts";
import type { Devices } from "../store.ts";
import { type Database, fromJson, toJson } from "./database.ts";

interface DeviceRow {
  readonly device_id: string;
  readonly device: string;
}

interface RequestRow {
  readonly request_id: string;
  readonly request: string;
}

export class SqliteDevices implements Devices {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Last approved first. */
  paired(): readonly PairedDevice[] {
    return this.#database.all<DeviceRow>(
      "SELECT device_id, device FROM devices ORDER BY approved_at DESC, device_id",
    ).map(toDevice);
  }

  /** Last asked first. */
  pending(): readonly PairingRequest[] {
    return this.#database.all<RequestRow>(
      "SELECT request_id, request FROM pairing_requests ORDER BY ts DESC, request_id",
    ).map(toRequest);
  }

  get(deviceId: string): PairedDevice | undefined {
    const row = this.#database.get<DeviceRow>(
      "SELECT device_id, device FROM devices WHERE device_id = ?",
      deviceId,
    );
    return row && toDevice(row);
  }

  request(requestId: string): PairingRequest | undefined {
    const row = this.#database.get<RequestRow>(
      "SELECT request_id, request FROM pairing_requests WHERE request_id = ?",
      requestId,
    );
    return row && toRequest(row);
  }

  requestOf(deviceId: string): PairingRequest | undefined {
    const row = this.#database.get<RequestRow>(
      "SELECT request_id, request FROM pairing_requests WHERE device_id = ?",
      deviceId,
    );
    return row && toRequest(row);
  }

  saveDevice(device: PairedDevice): void {
    this.#database.run(
      "INSERT OR REPLACE INTO devices (device_id, approved_at, device) VALUES (?, ?, ?)",
      device.deviceId,
      device.approvedAtMs,
      toJson(device),
    );
  }

  /** Takes the place of an earlier request of the same device. */
  saveRequest(request: PairingRequest): void {
    this.#database.run(
      `INSERT OR REPLACE INTO pairing_requests (request_id, device_id, ts, request)
       VALUES (?, ?, ?, ?)`,
      request.requestId,
      request.deviceId,
      request.ts,
      toJson(request),
    );
  }

  removeDevice(deviceId: string): boolean {
    return this.#database.run("DELETE FROM devices WHERE device_id = ?", deviceId) > 0;
  }

  removeRequest(requestId: string): boolean {
    return this.#database.run("DELETE FROM pairing_requests WHERE request_id = ?", requestId) > 0;
  }
}

function toDevice({ device_id, device }: DeviceRow): PairedDevice {
  return fromJson<PairedDevice>(device, { table: "devices", key: device_id });
}

function toRequest({ request_id, request }: RequestRow): PairingRequest {
  return fromJson<PairingRequest>(request, { table: "pairing_requests", key: request_id });
}
