/*
 * The commands of `bgpward`. Each takes its own words, argv[0] being the
 * command's, and returns the exit status: 0, 1 (it did not work) or 2 (usage
 * or configuration error).
 */
#ifndef SIDECAR_CLI_H
#define SIDECAR_CLI_H

int cli_status(int argc, char **argv);
int cli_up(int argc, char **argv);
int cli_down(int argc, char **argv);
int cli_init(int argc, char **argv);
int cli_peer(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_crl(int argc, char **argv);
int cli_renew(int argc, char **argv);

#define CLI_CONFIG_DIR "/etc/bgpward"
#define CLI_CONFIG_FILE CLI_CONFIG_DIR "/bgpward.conf"
#define CLI_CONTROL_SOCKET "/run/bgpward/control"
#define CLI_SOCKET_VARIABLE "BGPWARD_SOCKET"

#endif
