// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { FunctionsClient } from "@chainlink/contracts/src/v0.8/functions/v1_3_0/FunctionsClient.sol";
import { FunctionsRequest } from "@chainlink/contracts/src/v0.8/functions/v1_0_0/libraries/FunctionsRequest.sol";

/// Sends any request to Chainlink Functions and remembers the last answer: the local DON's tests ask through it.
contract FunctionsProbe is FunctionsClient {
    using FunctionsRequest for FunctionsRequest.Request;

    uint32 public constant CALLBACK_GAS_LIMIT = 300_000;

    uint256 public answers;
    bytes32 public lastRequestId;
    bytes public lastResponse;
    bytes public lastError;

    constructor(address router) FunctionsClient(router) {}

    function request(
        uint64 subscriptionId,
        bytes32 donId,
        string calldata source,
        string[] calldata args,
        bytes[] calldata bytesArgs
    ) external returns (bytes32 requestId) {
        FunctionsRequest.Request memory functionsRequest;
        functionsRequest.initializeRequestForInlineJavaScript(source);
        if (args.length > 0) functionsRequest.setArgs(args);
        if (bytesArgs.length > 0) functionsRequest.setBytesArgs(bytesArgs);
        return _sendRequest(functionsRequest.encodeCBOR(), subscriptionId, CALLBACK_GAS_LIMIT, donId);
    }

    function _fulfillRequest(bytes32 requestId, bytes memory response, bytes memory err) internal override {
        answers++;
        lastRequestId = requestId;
        lastResponse = response;
        lastError = err;
    }
}
