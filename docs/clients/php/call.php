<?php
// Calls an operation over mutual TLS, and prints what came back as JSON; ends with 2 for a fault.
//
//   php call.php ADDRESS OPERATION REQUEST.json PKI CLIENT [RECEIVED.xml]

declare(strict_types=1);

[, $address, $operation, $request, $pki, $client] = $argv;
$kept = $argv[6] ?? null;

// Used for the WSDL, its schemas and the calls. ext-soap cannot sign: the TLS certificate says who we are.
$tls = stream_context_create(['ssl' => [
    'cafile' => "$pki/ca.pem",
    'verify_peer' => true,
    'verify_peer_name' => true,
    'local_cert' => "$pki/clients/$client.pem",
    'local_pk' => "$pki/clients/$client.key",
]]);
ini_set('default_socket_timeout', '30');
$service = new SoapClient("$address?wsdl", [
    'stream_context' => $tls,
    'soap_version' => SOAP_1_1,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
    'connection_timeout' => 10,
    'trace' => true, // Keeps the messages, for __getLastResponse.
]);

try {
    $message = json_decode(file_get_contents($request), flags: JSON_THROW_ON_ERROR);
    $answer = ['reply' => $service->__soapCall($operation, [$message])];
} catch (SoapFault $raised) {
    if ($service->__getLastResponse() === null) {
        throw $raised; // Of the connection, or of our own request: the gateway said nothing.
    }
    $answer = ['fault' => [
        'code' => $raised->faultcode,
        'message' => $raised->faultstring,
        'detail' => $raised->detail->{"{$operation}Fault"} ?? null,
    ]];
}
if ($kept !== null) {
    file_put_contents($kept, $service->__getLastResponse());
}
echo json_encode($answer, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES), "\n";
exit(isset($answer['fault']) ? 2 : 0);
