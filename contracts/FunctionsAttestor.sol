// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { FunctionsClient } from "@chainlink/contracts/src/v0.8/functions/v1_3_0/FunctionsClient.sol";
import { FunctionsRequest } from "@chainlink/contracts/src/v0.8/functions/v1_0_0/libraries/FunctionsRequest.sol";
import { IFunctionsSubscriptions } from "@chainlink/contracts/src/v0.8/functions/v1_0_0/interfaces/IFunctionsSubscriptions.sol";
import { CBOR } from "@chainlink/contracts/src/v0.8/vendor/solidity-cborutils/v2.0.0/CBOR.sol";
import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IFunctionsAttestor } from "./interfaces/IFunctionsAttestor.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";

contract FunctionsAttestor is IFunctionsAttestor, FunctionsClient, AccessManaged {
    using CBOR for CBOR.CBORBuffer;
    using FunctionsRequest for FunctionsRequest.Request;

    /* CONSTANTS */

    /// Requests that a source may make.
    uint256 private constant URL_LIMIT = 5;
    /// What the callback needs, with room: it stores one root.
    uint32 private constant CALLBACK_GAS = 150_000;

    /* STATE */

    /// @inheritdoc IFunctionsAttestor
    IWattWitness public immutable wattWitness;
    /// @inheritdoc IFunctionsAttestor
    bytes32 public immutable donId;
    /// @inheritdoc IFunctionsAttestor
    bytes32 public immutable sourceHash;

    /// Holds, as its code, a STOP and the part of a request that is always the same, which ends with the source.
    address private immutable _request;
    /// Bytes before the source in there.
    uint256 private immutable _sourceOffset;

    /// @inheritdoc IFunctionsAttestor
    mapping(bytes32 requestId => bytes32 root) public pendingRoot;

    /* CONSTRUCTION */

    constructor(
        address authority,
        address router,
        IWattWitness wattWitness_,
        bytes32 donId_,
        string memory source_
    ) FunctionsClient(router) AccessManaged(authority) {
        wattWitness = wattWitness_;
        donId = donId_;
        sourceHash = keccak256(bytes(source_));

        FunctionsRequest.Request memory functionsRequest;
        functionsRequest.initializeRequestForInlineJavaScript(source_);
        bytes memory code = bytes.concat(hex"00", functionsRequest.encodeCBOR());
        _request = _deploy(code);
        _sourceOffset = code.length - bytes(source_).length;
    }

    /// A contract with this code, so that nobody sends it with every request.
    function _deploy(bytes memory code) private returns (address deployed) {
        // PUSH4 length, DUP1, PUSH1 12, PUSH0, CODECOPY, PUSH0, RETURN
        bytes memory initCode = abi.encodePacked(hex"63", uint32(code.length), hex"80600c5f395ff3", code);
        assembly ("memory-safe") {
            deployed := create(0, add(initCode, 32), mload(initCode))
        }
        assert(deployed != address(0));
    }

    /* ATTESTATION */

    /// @inheritdoc IFunctionsAttestor
    function request(
        bytes32 digest,
        bytes32 root,
        string[] calldata urls,
        uint64 subscriptionId
    ) external restricted returns (bytes32 requestId) {
        require(urls.length != 0 && urls.length <= URL_LIMIT, UrlCountInvalid(urls.length));
        (address attestor, ) = wattWitness.attestationOf(root);
        require(attestor == address(0), AlreadyAttested(root));
        require(
            IFunctionsSubscriptions(address(i_functionsRouter)).getSubscription(subscriptionId).owner == msg.sender,
            CallerNotSubscriptionOwner(msg.sender, subscriptionId)
        );

        requestId = _sendRequest(_encode(digest, root, urls), subscriptionId, CALLBACK_GAS, donId);
        pendingRoot[requestId] = root;

        emit AttestationRequested(requestId, digest, root, subscriptionId);
    }

    /// The request in CBOR: what is stored, then `args` and `bytesArgs`, as FunctionsRequest writes them.
    function _encode(bytes32 digest, bytes32 root, string[] calldata urls) private view returns (bytes memory) {
        CBOR.CBORBuffer memory buffer = CBOR.create(1024);
        buffer.writeString("args");
        buffer.startArray();
        for (uint256 i = 0; i < urls.length; ++i) buffer.writeString(urls[i]);
        buffer.endSequence();
        buffer.writeString("bytesArgs");
        buffer.startArray();
        buffer.writeBytes(abi.encodePacked(digest));
        buffer.writeBytes(abi.encodePacked(root));
        buffer.endSequence();
        return bytes.concat(_stored(1), buffer.data());
    }

    /// The DON's answer. Whatever it is, the request is over; only the root that was asked for is attested.
    function _fulfillRequest(bytes32 requestId, bytes memory response, bytes memory err) internal override {
        bytes32 root = pendingRoot[requestId];
        delete pendingRoot[requestId];
        if (root != 0 && response.length == 32 && bytes32(response) == root) {
            wattWitness.attest(root);
            emit AttestationConfirmed(requestId, root);
        } else {
            emit AttestationRefused(requestId, root, string(err));
        }
    }

    /* VIEWS */

    /// @inheritdoc IFunctionsAttestor
    function source() external view returns (string memory) {
        return string(_stored(_sourceOffset));
    }

    function _stored(uint256 start) private view returns (bytes memory rest) {
        bytes memory code = _request.code;
        assembly ("memory-safe") {
            // the same memory, its length word moved to just before `start`
            let length := sub(mload(code), start)
            rest := add(code, start)
            mstore(rest, length)
        }
    }
}
