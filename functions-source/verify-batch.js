// Every DON node runs this: verifies a batch (protocol/README.md) again and answers its attestation root.
// args: up to five URLs; bytesArgs: digest, root asked for. No clock, no randomness, constant errors.
const refuse = (failure) => { throw Error(failure); };
const hex = (bytes) => bytes.reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "0x");
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));

// RFC 9162; next() gives the frontier of the first `from` leaves, then the others, left to right
const treeHash = async (start, end, from, next) => {
	if (end <= from) return next();
	if (end - start === 1) return sha256([0, ...next()]);
	let half = 1;
	while (half * 2 < end - start) half *= 2;
	const left = treeHash(start, start + half, from, next);
	if (half > 64) await left; // all at once would take too much memory
	const right = treeHash(start + half, end, from, next);
	return sha256([1, ...(await left), ...(await right)]);
};

const batch = await Promise.any(args.slice(0, 5).map(async (url) => {
	const { data } = await Functions.makeHttpRequest({ url, timeout: 9000, responseType: "arraybuffer" });
	return hex(await sha256(data)) === bytesArgs[0] ? new Uint8Array(data) : refuse();
})).catch(() => refuse("no batch"));
const bytes = (at, length) => batch.subarray(at, at + length);
const view = new DataView(batch.buffer);
const u32 = (at) => view.getUint32(at);
const u64 = (at) => view.getBigUint64(at);

if (hex(bytes(0, 4)) !== "0x57574231") refuse("wrong magic");
if (batch.length < 38) refuse("truncated");
const segments = [];
let end = 38;
for (let left = view.getUint16(36) || refuse("no segments"); left > 0; left--) {
	const at = end;
	if (at + 84 > batch.length) refuse("truncated");
	const from = Number(u64(at + 68));
	const count = u32(at + 80) || refuse("count zero");
	const size = from + count;
	if (size >= 2 ** 40) refuse("size out of range");
	const readings = at + 84 + 32 * from.toString(2).replaceAll("0", "").length;
	const signature = readings + 32 * count;
	end = signature + 64;
	if (end > batch.length) refuse("truncated");
	segments.push({ at, from, size, readings, signature });
}
if (end < batch.length) refuse("trailing bytes");

const leaves = [];
for (const { at, from, size, readings, signature } of segments) {
	const rate = BigInt(u32(at + 76)) * 1000n; // mW
	let bucket = 0n; // mW·s, holds 15 minutes of it
	for (let i = readings + 32; i < signature; i += 32) {
		const elapsed = u32(i) - u32(i - 32);
		if (elapsed <= 0) refuse("time not forward");
		const produced = u64(i + 4) - u64(i - 28);
		if (produced < 0n) refuse("energy backward");
		bucket += produced * 3600n - rate * BigInt(elapsed);
		if (bucket < 0n) bucket = 0n;
		if (bucket > rate * 900n) refuse("beyond capacity");
	}

	let word = at + 52;
	const root = await treeHash(0, size, from, () => bytes((word += 32), 32));
	const head = new Uint8Array([...bytes(4, 32), ...bytes(at + 64, 12), ...bytes(signature - 32, 32), ...root]);
	new DataView(head.buffer).setBigUint64(36, BigInt(size));

	// WebCrypto accepts a high s
	const s = hex(bytes(signature + 32, 32));
	if (s > "0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8") refuse("high s");
	const point = new Uint8Array([4, ...bytes(at, 64)]);
	const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
	const valid = await crypto.subtle.importKey("raw", point, ecdsa, false, ["verify"])
		.then((key) => crypto.subtle.verify(ecdsa, key, bytes(signature, 64), head))
		.catch(() => refuse("bad key"));
	if (!valid) refuse("bad signature");
	leaves.push([...(await sha256(bytes(at, 64))), ...bytes(at + 64, 16), ...(await sha256(head))]);
}
const root = await treeHash(0, leaves.length, 0, () => leaves.shift());
return hex(root) === bytesArgs[1] ? root : refuse("wrong root");
