<?php
// Consults career and contributions of a person over mutual TLS, and reads the detail of a fault.
//
//   php consult.php URL PKI CLIENT SECTOR INSTITUTION SSIN

declare(strict_types=1);

[, $url, $pki, $client, $sector, $institution, $ssin] = $argv;

// Used for the WSDL, its schemas and the calls. ext-soap cannot sign: the TLS certificate says who we are.
$tls = stream_context_create(['ssl' => [
    'cafile' => "$pki/ca.pem",
    'verify_peer' => true,
    'verify_peer_name' => true,
    'local_cert' => "$pki/clients/$client.pem",
    'local_pk' => "$pki/clients/$client.key",
]]);
ini_set('default_socket_timeout', '30');
$service = new SoapClient("$url/SelfEmployedService/v2/consult?wsdl", [
    'stream_context' => $tls,
    'soap_version' => SOAP_1_1,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
    'connection_timeout' => 10,
]);

$request = fn (string $ssin, array $period): array => [
    'informationCustomer' => [
        'customerIdentification' => ['sector' => (int) $sector, 'institution' => (int) $institution],
    ],
    'legalContext' => 'SIGEDIS:CAREER_ACCOUNT',
    'criteria' => ['ssin' => $ssin, 'period' => $period],
];
$status = fn (object $reply): array => ['value' => $reply->status->value, 'code' => $reply->status->code];

$career = $service->consultCareer($request($ssin, ['beginDate' => '2015-01-01']));
$begins = [];
foreach ($career->career->affiliations->affiliation ?? [] as $affiliation) {
    foreach ($affiliation->careerSegments->careerSegment as $segment) {
        $begins[] = $segment->period->beginDate;
    }
}

$contributions = $service->consultContributions($request($ssin, ['beginQuarter' => '2018Q1', 'endQuarter' => '2018Q4']));

try {
    $service->consultCareer($request('not a number', ['beginDate' => '2015-01-01']));
    throw new LogicException('The gateway answered what it should have refused.');
} catch (SoapFault $raised) {
    // ext-soap reads a detail without its schema: what occurs once is no array here.
    $list = fn (mixed $found): array => is_array($found) ? $found : [$found];
    $first = $list($raised->detail->consultCareerFault->detail)[0];
    $fault = [
        'faultcode' => $raised->faultcode,
        'faultstring' => $raised->faultstring,
        'code' => $first->reasonCode,
        'fields' => array_column($list($first->information ?? []), 'fieldName'),
    ];
}

echo json_encode([
    'career' => $status($career) + ['begins' => $begins],
    'contributions' => $status($contributions) + [
        'quarters' => array_column($contributions->contributions->contribution ?? [], 'quarter'),
    ],
    'fault' => $fault,
], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES), "\n";
