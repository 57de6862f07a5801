// Keys and certificates of a server and a client that trust each other, for a hundred years and for
// fuzzing only.
#ifndef TEST_FUZZ_TLS_IDENTITY_H
#define TEST_FUZZ_TLS_IDENTITY_H

static const char ca_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgDCCASegAwIBAgIUTdaUgl+vwqsUoIQvkShzGNvwZtkwCgYIKoZIzj0EAwIw\n"
    "DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI2MDEyNDEwWhgPMjEyNjExMDIwMTI0MTBa\n"
    "MA0xCzAJBgNVBAMMAmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOr/aoo5Z\n"
    "TMFD2gCGg51JgnBXTemN2jSqK4+yJTjXlBTX5SPIHrvgdGFzdF+oPF92Bv1yBkW/\n"
    "OPYVSIWiY+3bX6NjMGEwHQYDVR0OBBYEFC4MjrAU5vmCa7hCKU5WG2Lol4tJMB8G\n"
    "A1UdIwQYMBaAFC4MjrAU5vmCa7hCKU5WG2Lol4tJMA8GA1UdEwEB/wQFMAMBAf8w\n"
    "DgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49BAMCA0cAMEQCIDUoZ044piEyfbOcaMnr\n"
    "GhN8JPnN4dzdZ0jkeI1/WimBAiB/kJU19KSAmrvtYesHDEdmYDG8GZQBy70T3NjK\n"
    "sQo4qA==\n"
    "-----END CERTIFICATE-----\n";

static const char server_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBlzCCAT2gAwIBAgIUE2uQDQ980CwK38EUHvBzWgHHYAswCgYIKoZIzj0EAwIw\n"
    "DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI2MDEyNDEwWhgPMjEyNjExMDIwMTI0MTBa\n"
    "MBExDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABORT\n"
    "qbZ2fF2goNKJIgM3V0MsY+Eu+4OzXN05+qb+rednS6Gv/h0pu+lAov3BUHYzRAm3\n"
    "xP/+cgRua879QMu9rayjdTBzMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggr\n"
    "BgEFBQcDATAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBQfV7Dot9feqoZAply709iP\n"
    "pVHf/DAfBgNVHSMEGDAWgBQuDI6wFOb5gmu4QilOVhti6JeLSTAKBggqhkjOPQQD\n"
    "AgNIADBFAiBvYr25jWD/oWAZ7hvJcC1qgsH3O2jR2cpK/bk4k9jfCwIhAMvxAaJy\n"
    "whCOLsYXLOaatQTYLiZnap0uJLTPIwgZh5IT\n"
    "-----END CERTIFICATE-----\n";

static const char server_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIKmt31DpRtEJQ9xaHNxkds4zcsoKAiPcj7mPnunUF9XioAoGCCqGSM49\n"
    "AwEHoUQDQgAE5FOptnZ8XaCg0okiAzdXQyxj4S77g7Nc3Tn6pv6t52dLoa/+HSm7\n"
    "6UCi/cFQdjNECbfE//5yBG5rzv1Ay72trA==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char client_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBlzCCAT2gAwIBAgIUE2uQDQ980CwK38EUHvBzWgHHYAwwCgYIKoZIzj0EAwIw\n"
    "DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI2MDEyNDExWhgPMjEyNjExMDIwMTI0MTFa\n"
    "MBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHEF\n"
    "L7SUpToRgdeuShnoBsMhyPW7kUvU1abIAqo91DccXcuZThLQyI1wVkKYYd7imMJK\n"
    "16zerbFSZGfPIipGIJOjdTBzMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggr\n"
    "BgEFBQcDAjAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBSyCWee6awKJtFdaHIhcbsn\n"
    "34SiHDAfBgNVHSMEGDAWgBQuDI6wFOb5gmu4QilOVhti6JeLSTAKBggqhkjOPQQD\n"
    "AgNIADBFAiA258sSr0QrofyL11f7N2fTnQvCfcZBQEGa6a4cCkIoWwIhAMa5hbGI\n"
    "yqlXnF1VtwUV+3btrERDsoUWk+nKbmuytpBU\n"
    "-----END CERTIFICATE-----\n";

static const char client_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIA5zKwf57KED7TjVlfA3+Uw3uWMjHwtVHMDCqwAHUAWtoAoGCCqGSM49\n"
    "AwEHoUQDQgAEcQUvtJSlOhGB165KGegGwyHI9buRS9TVpsgCqj3UNxxdy5lOEtDI\n"
    "jXBWQphh3uKYwkrXrN6tsVJkZ88iKkYgkw==\n"
    "-----END EC PRIVATE KEY-----\n";

#endif
