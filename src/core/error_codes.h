// Error codes and error domains with libvirt's numbers, and each code's standard wording.
//
// The lists are facts of libvirt's public API (virterror.h): a client compares the numbers, and
// users and scripts know the wording.
#ifndef CORE_ERROR_CODES_H
#define CORE_ERROR_CODES_H

enum error_level {
    VIR_ERR_LEVEL_NONE = 0,
    VIR_ERR_LEVEL_WARNING = 1,
    VIR_ERR_LEVEL_ERROR = 2,
};

enum error_domain {
    VIR_FROM_NONE = 0,
    VIR_FROM_XEN = 1,
    VIR_FROM_XEND = 2,
    VIR_FROM_XENSTORE = 3,
    VIR_FROM_SEXPR = 4,
    VIR_FROM_XML = 5,
    VIR_FROM_DOM = 6,
    VIR_FROM_RPC = 7,
    VIR_FROM_PROXY = 8,
    VIR_FROM_CONF = 9,
    VIR_FROM_QEMU = 10,
    VIR_FROM_NET = 11,
    VIR_FROM_TEST = 12,
    VIR_FROM_REMOTE = 13,
    VIR_FROM_OPENVZ = 14,
    VIR_FROM_XENXM = 15,
    VIR_FROM_STATS_LINUX = 16,
    VIR_FROM_LXC = 17,
    VIR_FROM_STORAGE = 18,
    VIR_FROM_NETWORK = 19,
    VIR_FROM_DOMAIN = 20,
    VIR_FROM_UML = 21,
    VIR_FROM_NODEDEV = 22,
    VIR_FROM_XEN_INOTIFY = 23,
    VIR_FROM_SECURITY = 24,
    VIR_FROM_VBOX = 25,
    VIR_FROM_INTERFACE = 26,
    VIR_FROM_ONE = 27,
    VIR_FROM_ESX = 28,
    VIR_FROM_PHYP = 29,
    VIR_FROM_SECRET = 30,
    VIR_FROM_CPU = 31,
    VIR_FROM_XENAPI = 32,
    VIR_FROM_NWFILTER = 33,
    VIR_FROM_HOOK = 34,
    VIR_FROM_DOMAIN_SNAPSHOT = 35,
    VIR_FROM_AUDIT = 36,
    VIR_FROM_SYSINFO = 37,
    VIR_FROM_STREAMS = 38,
    VIR_FROM_VMWARE = 39,
    VIR_FROM_EVENT = 40,
    VIR_FROM_LIBXL = 41,
    VIR_FROM_LOCKING = 42,
    VIR_FROM_HYPERV = 43,
    VIR_FROM_CAPABILITIES = 44,
    VIR_FROM_URI = 45,
    VIR_FROM_AUTH = 46,
    VIR_FROM_DBUS = 47,
    VIR_FROM_PARALLELS = 48,
    VIR_FROM_DEVICE = 49,
    VIR_FROM_SSH = 50,
    VIR_FROM_LOCKSPACE = 51,
    VIR_FROM_INITCTL = 52,
    VIR_FROM_IDENTITY = 53,
    VIR_FROM_CGROUP = 54,
    VIR_FROM_ACCESS = 55,
    VIR_FROM_SYSTEMD = 56,
    VIR_FROM_BHYVE = 57,
    VIR_FROM_CRYPTO = 58,
    VIR_FROM_FIREWALL = 59,
    VIR_FROM_POLKIT = 60,
    VIR_FROM_THREAD = 61,
    VIR_FROM_ADMIN = 62,
    VIR_FROM_LOGGING = 63,
    VIR_FROM_XENXL = 64,
    VIR_FROM_PERF = 65,
    VIR_FROM_LIBSSH = 66,
    VIR_FROM_RESCTRL = 67,
    VIR_FROM_FIREWALLD = 68,
    VIR_FROM_DOMAIN_CHECKPOINT = 69,
    VIR_FROM_TPM = 70,
    VIR_FROM_BPF = 71,
    VIR_FROM_CH = 72,
};

// In the wording before a message: the wording without one.
#define ERROR_ALONE "\1"

// clang-format off
// X(code, number, wording without a message, wording before a message, wording after it)
#define ERROR_CODES(X) \
    X(VIR_ERR_INTERNAL_ERROR, 1, "internal error", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_MEMORY, 2, "out of memory", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_SUPPORT, 3, "this function is not supported by the connection driver", ERROR_ALONE ": ", "") \
    X(VIR_ERR_UNKNOWN_HOST, 4, "unknown host", ERROR_ALONE " ", "") \
    X(VIR_ERR_NO_CONNECT, 5, "no connection driver available", ERROR_ALONE " for ", "") \
    X(VIR_ERR_INVALID_CONN, 6, "invalid connection pointer in", ERROR_ALONE " ", "") \
    X(VIR_ERR_INVALID_DOMAIN, 7, "invalid domain pointer in", ERROR_ALONE " ", "") \
    X(VIR_ERR_INVALID_ARG, 8, "invalid argument", ERROR_ALONE ": ", "") \
    X(VIR_ERR_OPERATION_FAILED, 9, "operation failed", ERROR_ALONE ": ", "") \
    X(VIR_ERR_GET_FAILED, 10, "GET operation failed", ERROR_ALONE ": ", "") \
    X(VIR_ERR_POST_FAILED, 11, "POST operation failed", ERROR_ALONE ": ", "") \
    X(VIR_ERR_HTTP_ERROR, 12, "got unknown HTTP error code", ERROR_ALONE " ", "") \
    X(VIR_ERR_SEXPR_SERIAL, 13, "failed to serialize S-Expr", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_XEN, 14, "could not use Xen hypervisor entry", ERROR_ALONE " ", "") \
    X(VIR_ERR_XEN_CALL, 15, "failed Xen syscall", ERROR_ALONE " ", "") \
    X(VIR_ERR_OS_TYPE, 16, "unknown OS type", ERROR_ALONE " ", "") \
    X(VIR_ERR_NO_KERNEL, 17, "missing kernel information", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_ROOT, 18, "missing root device information", ERROR_ALONE " in ", "") \
    X(VIR_ERR_NO_SOURCE, 19, "missing source information for device", ERROR_ALONE " ", "") \
    X(VIR_ERR_NO_TARGET, 20, "missing target information for device", ERROR_ALONE " ", "") \
    X(VIR_ERR_NO_NAME, 21, "missing name information", ERROR_ALONE " in ", "") \
    X(VIR_ERR_NO_OS, 22, "missing operating system information", ERROR_ALONE " for ", "") \
    X(VIR_ERR_NO_DEVICE, 23, "missing devices information", ERROR_ALONE " for ", "") \
    X(VIR_ERR_NO_XENSTORE, 24, "could not connect to Xen Store", ERROR_ALONE " ", "") \
    X(VIR_ERR_DRIVER_FULL, 25, "too many drivers registered", ERROR_ALONE " in ", "") \
    X(VIR_ERR_CALL_FAILED, 26, "library call failed", ERROR_ALONE ": ", "") \
    X(VIR_ERR_XML_ERROR, 27, "XML description is invalid or not well formed", "XML error: ", "") \
    X(VIR_ERR_DOM_EXIST, 28, "this domain exists already", "domain ", " exists already") \
    X(VIR_ERR_OPERATION_DENIED, 29, "operation forbidden for read only access", "operation forbidden: ", "") \
    X(VIR_ERR_OPEN_FAILED, 30, "failed to open configuration file", ERROR_ALONE " ", "") \
    X(VIR_ERR_READ_FAILED, 31, "failed to read configuration file", ERROR_ALONE " ", "") \
    X(VIR_ERR_PARSE_FAILED, 32, "failed to parse configuration file", ERROR_ALONE " ", "") \
    X(VIR_ERR_CONF_SYNTAX, 33, "configuration file syntax error", ERROR_ALONE ": ", "") \
    X(VIR_ERR_WRITE_FAILED, 34, "failed to write configuration file", ERROR_ALONE ": ", "") \
    X(VIR_ERR_XML_DETAIL, 35, "parser error", "", "") \
    X(VIR_ERR_INVALID_NETWORK, 36, "invalid network pointer in", ERROR_ALONE " ", "") \
    X(VIR_ERR_NETWORK_EXIST, 37, "this network exists already", "network ", " exists already") \
    X(VIR_ERR_SYSTEM_ERROR, 38, "system call error", "", "") \
    X(VIR_ERR_RPC, 39, "RPC error", "", "") \
    X(VIR_ERR_GNUTLS_ERROR, 40, "GNUTLS call error", "", "") \
    X(VIR_WAR_NO_NETWORK, 41, "Failed to find the network", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_DOMAIN, 42, "Domain not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_NETWORK, 43, "Network not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_MAC, 44, "invalid MAC address", ERROR_ALONE ": ", "") \
    X(VIR_ERR_AUTH_FAILED, 45, "authentication failed", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_STORAGE_POOL, 46, "invalid storage pool pointer in", ERROR_ALONE " ", "") \
    X(VIR_ERR_INVALID_STORAGE_VOL, 47, "invalid storage volume pointer in", ERROR_ALONE " ", "") \
    X(VIR_WAR_NO_STORAGE, 48, "Failed to find a storage driver", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_STORAGE_POOL, 49, "Storage pool not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_STORAGE_VOL, 50, "Storage volume not found", ERROR_ALONE ": ", "") \
    X(VIR_WAR_NO_NODE, 51, "Failed to find a node driver", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_NODE_DEVICE, 52, "invalid node device pointer", ERROR_ALONE " in ", "") \
    X(VIR_ERR_NO_NODE_DEVICE, 53, "Node device not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_SECURITY_MODEL, 54, "Security model not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_OPERATION_INVALID, 55, "Requested operation is not valid", ERROR_ALONE ": ", "") \
    X(VIR_WAR_NO_INTERFACE, 56, "Failed to find the interface", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_INTERFACE, 57, "Interface not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_INTERFACE, 58, "invalid interface pointer in", ERROR_ALONE " ", "") \
    X(VIR_ERR_MULTIPLE_INTERFACES, 59, "multiple matching interfaces found", ERROR_ALONE ": ", "") \
    X(VIR_WAR_NO_NWFILTER, 60, "Failed to start the nwfilter driver", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_NWFILTER, 61, "Invalid network filter", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_NWFILTER, 62, "Network filter not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_BUILD_FIREWALL, 63, "Error while building firewall", ERROR_ALONE ": ", "") \
    X(VIR_WAR_NO_SECRET, 64, "Failed to find a secret storage driver", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_SECRET, 65, "Invalid secret", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_SECRET, 66, "Secret not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_CONFIG_UNSUPPORTED, 67, "unsupported configuration", ERROR_ALONE ": ", "") \
    X(VIR_ERR_OPERATION_TIMEOUT, 68, "Timed out during operation", ERROR_ALONE ": ", "") \
    X(VIR_ERR_MIGRATE_PERSIST_FAILED, 69, "Failed to make domain persistent after migration", ERROR_ALONE ": ", "") \
    X(VIR_ERR_HOOK_SCRIPT_FAILED, 70, "Hook script execution failed", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_DOMAIN_SNAPSHOT, 71, "Invalid domain snapshot", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_DOMAIN_SNAPSHOT, 72, "Domain snapshot not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_STREAM, 73, "invalid stream pointer", ERROR_ALONE " in ", "") \
    X(VIR_ERR_ARGUMENT_UNSUPPORTED, 74, "argument unsupported", ERROR_ALONE ": ", "") \
    X(VIR_ERR_STORAGE_PROBE_FAILED, 75, "Storage pool probe failed", ERROR_ALONE ": ", "") \
    X(VIR_ERR_STORAGE_POOL_BUILT, 76, "Storage pool already built", ERROR_ALONE ": ", "") \
    X(VIR_ERR_SNAPSHOT_REVERT_RISKY, 77, "revert requires force", ERROR_ALONE ": ", "") \
    X(VIR_ERR_OPERATION_ABORTED, 78, "operation aborted", ERROR_ALONE ": ", "") \
    X(VIR_ERR_AUTH_CANCELLED, 79, "authentication cancelled", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_DOMAIN_METADATA, 80, "metadata not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_MIGRATE_UNSAFE, 81, "Unsafe migration", ERROR_ALONE ": ", "") \
    X(VIR_ERR_OVERFLOW, 82, "numerical overflow", ERROR_ALONE ": ", "") \
    X(VIR_ERR_BLOCK_COPY_ACTIVE, 83, "block copy still active", ERROR_ALONE ": ", "") \
    X(VIR_ERR_OPERATION_UNSUPPORTED, 84, "Operation not supported", ERROR_ALONE ": ", "") \
    X(VIR_ERR_SSH, 85, "SSH transport error", ERROR_ALONE ": ", "") \
    X(VIR_ERR_AGENT_UNRESPONSIVE, 86, "Guest agent is not responding", ERROR_ALONE ": ", "") \
    X(VIR_ERR_RESOURCE_BUSY, 87, "resource busy", ERROR_ALONE ": ", "") \
    X(VIR_ERR_ACCESS_DENIED, 88, "access denied", ERROR_ALONE ": ", "") \
    X(VIR_ERR_DBUS_SERVICE, 89, "error from service", ERROR_ALONE ": ", "") \
    X(VIR_ERR_STORAGE_VOL_EXIST, 90, "this storage volume exists already", "storage volume ", " exists already") \
    X(VIR_ERR_CPU_INCOMPATIBLE, 91, "the CPU is incompatible with host CPU", ERROR_ALONE ": ", "") \
    X(VIR_ERR_XML_INVALID_SCHEMA, 92, "XML document failed to validate against schema", ERROR_ALONE ": ", "") \
    X(VIR_ERR_MIGRATE_FINISH_OK, 93, "migration successfully aborted", ERROR_ALONE ": ", "") \
    X(VIR_ERR_AUTH_UNAVAILABLE, 94, "authentication unavailable", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_SERVER, 95, "Server not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_CLIENT, 96, "Client not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_AGENT_UNSYNCED, 97, "guest agent replied with wrong id to guest-sync command", ERROR_ALONE ": ", "") \
    X(VIR_ERR_LIBSSH, 98, "libssh transport error", ERROR_ALONE ": ", "") \
    X(VIR_ERR_DEVICE_MISSING, 99, "device not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_NWFILTER_BINDING, 100, "Invalid network filter binding", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_NWFILTER_BINDING, 101, "Network filter binding not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_DOMAIN_CHECKPOINT, 102, "Invalid domain checkpoint", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_DOMAIN_CHECKPOINT, 103, "Domain checkpoint not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_DOMAIN_BACKUP, 104, "Domain backup job id not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_INVALID_NETWORK_PORT, 105, "Invalid network port pointer", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NETWORK_PORT_EXIST, 106, "this network port exists already", "network port ", " exists already") \
    X(VIR_ERR_NO_NETWORK_PORT, 107, "network port not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_HOSTNAME, 108, "no hostname found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_CHECKPOINT_INCONSISTENT, 109, "checkpoint inconsistent", ERROR_ALONE ": ", "") \
    X(VIR_ERR_MULTIPLE_DOMAINS, 110, "multiple matching domains found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_NO_NETWORK_METADATA, 111, "metadata not found", ERROR_ALONE ": ", "") \
    X(VIR_ERR_AGENT_COMMAND_TIMEOUT, 112, "guest agent command timed out", ERROR_ALONE ": ", "") \
    X(VIR_ERR_AGENT_COMMAND_FAILED, 113, "guest agent command failed", "guest agent command failed: ", "")
// clang-format on

enum error_code {
    VIR_ERR_OK = 0,
#define ERROR_CODE_NUMBER(code, number, alone, before, after) code = (number),
    ERROR_CODES(ERROR_CODE_NUMBER)
#undef ERROR_CODE_NUMBER
};

#endif
